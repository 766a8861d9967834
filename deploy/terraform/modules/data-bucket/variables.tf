variable "name" {
  description = "The bucket's name; policies and functions are named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,46}[a-z0-9]$", var.name))
    error_message = "name: expected 3 to 48 of a-z, 0-9 and hyphens, beginning and ending with a letter or digit (a dot would break TLS to the bucket)."
  }
}

variable "domain_name" {
  description = "The host name that engines download from."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain_name))
    error_message = "domain_name: expected a host name in lower case without a dot at its end, such as data.example.net."
  }
}

variable "zone_id" {
  description = "The Route 53 zone that holds domain_name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^Z[A-Z0-9]{3,31}$", var.zone_id))
    error_message = "zone_id: expected the id of a hosted zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "keep_versions_days" {
  description = "Days after which a replaced or deleted object is gone for good. GeoLite's licence allows 30."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.keep_versions_days >= 1 && var.keep_versions_days <= 30 && floor(var.keep_versions_days) == var.keep_versions_days
    error_message = "keep_versions_days: expected a whole number from 1 to 30; old GeoLite databases must not be kept longer."
  }
}

variable "cors_origins" {
  description = "Origins whose scripts may read the data, such as https://app.example.net; none sends no CORS header."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.cors_origins : origin == "*" || can(regex("^https://[a-z0-9.*-]+(:[0-9]+)?$", origin))])
    error_message = "cors_origins: expected \"*\" or https://HOST, without a path."
  }
}

variable "default_ttl_s" {
  description = "Seconds that an object without a Cache-Control of its own is cached; hubdata gives every object one."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.default_ttl_s >= 0 && var.default_ttl_s <= 86400
    error_message = "default_ttl_s: expected 0 to 86400 seconds."
  }
}

variable "error_ttl_s" {
  description = "Seconds that a missing object is remembered as missing."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.error_ttl_s >= 0 && var.error_ttl_s <= 60
    error_message = "error_ttl_s: expected 0 to 60 seconds; a file that is new would not be seen for longer."
  }
}

variable "price_class" {
  description = "Where CloudFront serves from."
  type        = string
  default     = "PriceClass_All"
  nullable    = false

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class: expected PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "web_acl_id" {
  description = "The ARN of a WAF web ACL (of us-east-1) before the distribution; null for none."
  type        = string
  default     = null
}

variable "cache_policy_id" {
  description = "A cache policy to use instead of the module's own; null for the own one."
  type        = string
  default     = null
}

variable "response_headers_policy_id" {
  description = "A response headers policy to use instead of the module's own; null for the own one."
  type        = string
  default     = null

  validation {
    condition     = var.response_headers_policy_id == null || length(var.cors_origins) == 0
    error_message = "response_headers_policy_id: a policy of yours decides about CORS as well; leave cors_origins empty."
  }
}

variable "access_logs" {
  description = "Whether requests are logged (they name viewers' addresses), to the ARN of an S3 bucket, log group or Firehose, or to a log group of its own that keeps them for so many days."
  type = object({
    enabled         = optional(bool, true)
    destination_arn = optional(string)
    retention_days  = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90], var.access_logs.retention_days)
    error_message = "access_logs.retention_days: expected 1, 3, 5, 7, 14, 30, 60 or 90."
  }
}

variable "publish_functions" {
  description = "Whether functions are published, without which CloudFront runs none. False only before a stand-in for AWS that cannot publish."
  type        = bool
  default     = true
  nullable    = false
}

variable "force_destroy" {
  description = "Whether destroying the bucket destroys what is in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
