variable "name" {
  type        = string
  description = "Prefix of the names of functions, policies and logs; unique in the account."
  default     = "hub-front"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name))
    error_message = "Name: 2 to 32 lower-case letters, digits and hyphens, as names of functions allow."
  }
}

variable "domain_name" {
  type        = string
  description = "The domain that users fetch from, such as hub.example.net."
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name: a lower-case host name with a dot and without a trailing one, such as hub.example.net."
  }
}

variable "zone_id" {
  type        = string
  description = "The Route 53 zone that holds domain_name; A and AAAA records are made there."
  nullable    = false

  validation {
    condition     = can(regex("^Z[A-Z0-9]{3,31}$", var.zone_id))
    error_message = "zone_id: expected the id of a hosted zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "certificate" {
  type        = object({ arn = string })
  description = "A certificate of yours for domain_name in us-east-1. Null: one is requested and validated through zone_id. (An object, because Terraform must know whether there is one before it knows the ARN.)"
  default     = null
}

variable "origin_domain" {
  type        = string
  description = "The git host's name for raw content."
  default     = "raw.githubusercontent.com"
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.origin_domain))
    error_message = "origin_domain: a bare lower-case host name: no scheme, no path, no port."
  }
}

variable "repository" {
  type        = string
  description = "The one repository that is served, as the git host's raw paths begin: owner/name."
  nullable    = false

  validation {
    condition = (
      can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
      && !can(regex("/\\.{1,2}$", var.repository))
    )
    error_message = "repository: owner/name."
  }
}

variable "refs" {
  type        = list(string)
  description = "The branches and tags that are served. A git host answers for every commit that it knows, those of forks and pull requests too: whoever opens one would publish under your name."
  nullable    = false

  validation {
    condition     = length(var.refs) > 0 && alltrue([for ref in var.refs : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", ref))])
    error_message = "refs: at least one name of a branch or tag."
  }
  validation {
    condition     = alltrue([for ref in var.refs : !can(regex("^([0-9a-f]{7,64}$|refs/pull(/|$)|refs$|refs/)", ref))])
    error_message = "refs: names only, neither commits nor refs/pull/..., which strangers write."
  }
}

variable "cache_seconds" {
  type = object({
    default = optional(number, 60)
    most    = optional(number, 300)
    errors  = optional(number, 5)
  })
  description = "How long an edge keeps a file that says nothing of its age, one that does, and an error."
  default     = {}
  nullable    = false

  validation {
    condition     = 0 < var.cache_seconds.default && var.cache_seconds.default <= var.cache_seconds.most && var.cache_seconds.most <= 3600
    error_message = "cache_seconds: default is more than 0 and at most `most`, which is at most 3600: hubs move."
  }
  validation {
    condition     = 0 <= var.cache_seconds.errors && var.cache_seconds.errors <= 60
    error_message = "cache_seconds: errors are kept for a minute at most, or one bad moment of the git host lasts."
  }
}

variable "cache_policy_id" {
  type        = string
  description = "A cache policy to use instead of this module's own (`cache_seconds`); it must let through neither cookies nor queries."
  default     = null
}

variable "origin_shield_region" {
  type        = string
  description = "Ask the git host from one region only, such as us-east-1: fewer requests against its limits, at a price. Null: off."
  default     = null
}

variable "response_headers_policy_id" {
  type        = string
  description = "Security headers of answers; the default is CloudFront's managed SecurityHeadersPolicy."
  default     = "67f7725c-6f97-4210-82d7-5512b31e9d03"
  nullable    = false
}

variable "price_class" {
  type        = string
  description = "Where CloudFront serves from."
  default     = "PriceClass_All"
  nullable    = false

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class: expected PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "web_acl_id" {
  type        = string
  description = "The ARN of a WAF web ACL (of us-east-1) before the distribution; null for none."
  default     = null
}

variable "access_logs" {
  type = object({
    enabled         = optional(bool, true)
    destination_arn = optional(string)
    retention_days  = optional(number, 30)
  })
  description = "Whether requests are logged (they name viewers' addresses), to the ARN of an S3 bucket, log group or Firehose, or to a log group of its own that keeps them for so many days."
  default     = {}
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90], var.access_logs.retention_days)
    error_message = "access_logs.retention_days: expected 1, 3, 5, 7, 14, 30, 60 or 90."
  }
}

variable "publish_functions" {
  type        = bool
  description = "Whether functions are published, without which CloudFront runs none. False only before a stand-in for AWS that cannot publish."
  default     = true
  nullable    = false
}

variable "tags" {
  type        = map(string)
  description = "Tags of all that can bear them."
  default     = {}
  nullable    = false
}
