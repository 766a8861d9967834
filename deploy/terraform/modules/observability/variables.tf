variable "name" {
  description = "What names of alarms, budget and role begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{1,46}$", var.name))
    error_message = "name: expected 2 to 47 letters, digits and hyphens."
  }
}

variable "bucket" {
  description = "The name of the bucket whose data is watched."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket: expected the name of one bucket, without wildcards."
  }
}

variable "prefix" {
  description = "`prefix` of hubdata's target, ending in a slash; empty for the whole bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.prefix == "" || can(regex("^([A-Za-z0-9._-]+/)+$", var.prefix))
    error_message = "prefix: expected a path that ends in a slash, such as data/public/, without wildcards."
  }
}

variable "distributions" {
  description = "The ids of the distributions that are watched, by a name for people, such as { data = \"E2EXAMPLE\" }."
  type        = map(string)
  nullable    = false
}

variable "namespace" {
  description = "The CloudWatch namespace of the ages."
  type        = string
  default     = "hubdata"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.namespace)) && !startswith(var.namespace, "AWS/")
    error_message = "namespace: expected 1 to 255 letters, digits and . _ / # -, not beginning with AWS/."
  }
}

variable "alarm_actions" {
  description = "ARNs of SNS topics of the bucket's region that the ages' alarms are sent to."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "edge_alarm_actions" {
  description = "ARNs of SNS topics of us-east-1 that the distributions' alarms are sent to: their metrics live there, and an alarm reaches topics of its own region only."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "errors_percent" {
  description = "Percent of requests answered with 5xx that is too much, for fifteen minutes."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.errors_percent > 0 && var.errors_percent <= 100
    error_message = "errors_percent: expected more than 0, up to 100."
  }
}

variable "latency_ms" {
  description = "Milliseconds until an origin's first byte, at the 90th percentile, that are too many for fifteen minutes; null for no alarm. It needs CloudFront's additional metrics, which are turned on, and cost."
  type        = number
  default     = null

  validation {
    condition     = var.latency_ms == null || try(var.latency_ms > 0, false)
    error_message = "latency_ms: expected more than 0."
  }
}

variable "geoip_days" {
  description = "Days that the newest GeoIP database may be old by its vendor's build; null where there is none. MaxMind builds twice a week."
  type        = number
  default     = 10

  validation {
    condition     = var.geoip_days == null || try(var.geoip_days >= 1 && var.geoip_days <= 60, false)
    error_message = "geoip_days: expected 1 to 60."
  }
}

variable "success_hours" {
  description = "Hours without any success that are too many; at least as many as lie between two runs."
  type        = number
  default     = 26
  nullable    = false

  validation {
    condition     = var.success_hours >= 1 && var.success_hours <= 168
    error_message = "success_hours: expected 1 to 168."
  }
}

variable "job_success_hours" {
  description = "For a worker: hours without a success of one job that are too many, by its name: { maxmind = 50 }."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for hours in values(var.job_success_hours) : hours >= 1 && hours <= 168])
    error_message = "job_success_hours: expected 1 to 168."
  }
}

variable "ecs_account_id" {
  description = "The account whose ECS tasks may take the role that measures ages; null for no role: whoever measures has one."
  type        = string
  default     = null

  validation {
    condition     = var.ecs_account_id == null || can(regex("^[0-9]{12}$", var.ecs_account_id))
    error_message = "ecs_account_id: expected 12 digits."
  }
}

variable "invalidations_budget" {
  description = "US dollars a month that invalidations may cost, and who is told by mail at 80 percent (forecast) and at 100; null for no budget."
  type = object({
    usd    = number
    emails = list(string)
  })
  default = null

  validation {
    condition     = var.invalidations_budget == null || try(var.invalidations_budget.usd > 0 && length(var.invalidations_budget.emails) > 0, false)
    error_message = "invalidations_budget: expected more than 0 USD, and at least one address."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
