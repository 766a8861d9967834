variable "name" {
  type        = string
  description = "Prefix of the names of functions, logs and origins; unique in the account."
  default     = "api-front"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name))
    error_message = "Name: 2 to 32 lower-case letters, digits and hyphens, as names of functions allow."
  }
}

variable "domain_name" {
  type        = string
  description = "The one domain that users call, such as api.example.net."
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name: a lower-case host name with a dot and without a trailing one, such as api.example.net."
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
  description = "A certificate of yours for domain_name: in us-east-1 for entry = \"cloudfront\", in the APIs' region for \"custom-domain\". Null: one is requested there and validated through zone_id. (An object, because Terraform must know whether there is one before it knows the ARN.)"
  default     = null
}

variable "routes" {
  type = map(object({
    domain = string
    stage  = string
    prefix = optional(string)
  }))
  description = <<-EOT
    The APIs behind the domain, by a name of their own; the only place where a route is written down.
    `domain`: the host that API Gateway gave the API, such as a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com.
    `stage`: the deployed stage. Without `prefix` it is also the first segment of the path: stage v2 answers /v2/...
    `prefix`: for paths that cannot be a stage's name, such as /.well-known: it is stripped, and the stage is put before the rest.
  EOT
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.routes) : can(regex("^[a-z0-9][a-z0-9-]{0,29}$", name))])
    error_message = "Names of routes: at most 30 lower-case letters, digits and hyphens."
  }
  validation {
    condition     = alltrue([for route in var.routes : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", route.domain))])
    error_message = "routes: domain is a bare lower-case host name: no scheme, no path, no port."
  }
  validation {
    condition = alltrue([
      for route in var.routes : can(regex("^[A-Za-z0-9_-]{1,128}$", route.stage)) || (route.stage == "$default" && route.prefix != null)
    ])
    error_message = "routes: stage is letters, digits, hyphens and underscores; or $default, which needs a prefix."
  }
  validation {
    condition     = alltrue([for route in var.routes : route.prefix == null || can(regex("^(/[A-Za-z0-9._~-]+)+$", coalesce(route.prefix, "/")))])
    error_message = "routes: prefix starts with a slash and ends without one, such as /.well-known."
  }
  validation {
    condition = alltrue([
      for route in var.routes : length(regexall("/\\.{1,2}(/|$)", coalesce(route.prefix, "/-"))) == 0
    ])
    error_message = "routes: prefix has no dot segments."
  }
  validation {
    condition = alltrue(flatten([
      for a, one in var.routes : [
        for b, other in var.routes :
        a == b || !startswith("${coalesce(other.prefix, "/${other.stage}")}/", "${coalesce(one.prefix, "/${one.stage}")}/")
      ]
    ]))
    error_message = "routes: no prefix may be another's, or begin with another's: which API answers must not hang on order."
  }
}

variable "origin_lock" {
  type = object({
    current = string
    next    = optional(string)
  })
  description = "The secret that proves to an API that a request came through this front. `current` is sent; whoever checks accepts both. How to rotate: README."
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.origin_lock.current) >= 32 && (var.origin_lock.next == null || length(coalesce(var.origin_lock.next, "-")) >= 32)
    error_message = "origin_lock: at least 32 characters each, drawn at random."
  }
  validation {
    condition     = var.origin_lock.next == null || var.origin_lock.next != var.origin_lock.current
    error_message = "origin_lock: next differs from current, or is null."
  }
}

variable "origin_lock_header" {
  type        = string
  description = "The header that carries the secret to the APIs."
  default     = "x-origin-lock"
  nullable    = false

  validation {
    condition     = can(regex("^x-[a-z0-9]+(-[a-z0-9]+)*$", var.origin_lock_header))
    error_message = "origin_lock_header: lower-case, starting with x-."
  }
  validation {
    condition     = !can(regex("^x-(amz-|edge-|real-ip$)", var.origin_lock_header))
    error_message = "origin_lock_header: CloudFront adds no header of this name to requests."
  }
  validation {
    condition     = var.origin_lock_header != var.viewer_address_header
    error_message = "origin_lock_header: another name than viewer_address_header, or the secret is sent in the address's place."
  }
}

variable "viewer_address_header" {
  type        = string
  description = "The header in which the APIs find the viewer's address: set by a function, whatever the viewer sent."
  default     = "x-viewer-address"
  nullable    = false

  validation {
    condition     = can(regex("^x-[a-z0-9]+(-[a-z0-9]+)*$", var.viewer_address_header))
    error_message = "viewer_address_header: lower-case, starting with x-."
  }
  validation {
    condition     = !can(regex("^x-(accel-|amz-cf-|amzn-|edge-|cache$|forwarded-proto$|real-ip$)", var.viewer_address_header))
    error_message = "viewer_address_header: CloudFront lets no function set this one; it would answer 502."
  }
}

variable "entry" {
  type        = string
  description = "What answers at domain_name: \"cloudfront\" (this module's distribution), or \"custom-domain\": API Gateway's own dual-stack domain, with no function, no address header and no origin lock (ADR 0020)."
  default     = "cloudfront"
  nullable    = false

  validation {
    condition     = contains(["cloudfront", "custom-domain"], var.entry)
    error_message = "entry: \"cloudfront\" or \"custom-domain\"."
  }
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
