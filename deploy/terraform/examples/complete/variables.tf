variable "region" {
  description = "Where the bucket and the worker live."
  type        = string
  default     = "eu-west-1"
}

variable "account_id" {
  description = "The account, in 12 digits."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone of all three host names."
  type        = string
}

variable "bucket" {
  description = "The name of the bucket."
  type        = string
  default     = "example-hub-data"
}

variable "data_domain" {
  description = "Where engines download data from."
  type        = string
  default     = "hub-data.example.net"
}

variable "api_domain" {
  description = "The one host name before the APIs; null for no such front."
  type        = string
  default     = null
}

variable "routes" {
  description = "The APIs behind it: `routes` of the module api-front."
  type        = map(object({ domain = string, stage = string, prefix = optional(string) }))
  default     = {}
}

variable "origin_lock" {
  description = "The secret between that front and the APIs: `origin_lock` of the module api-front; give it by TF_VAR_origin_lock, never in a file."
  type        = object({ current = string, next = optional(string) })
  default     = null
  sensitive   = true
}

variable "hub_domain" {
  description = "The host name before the git host's raw content; null for no such front."
  type        = string
  default     = null
}

variable "repository" {
  description = "The repository that is served there: OWNER/NAME."
  type        = string
  default     = "crowdsecurity/hub"
}

variable "refs" {
  description = "Its branches and tags that are served there."
  type        = list(string)
  default     = ["master"]
}

variable "github_subjects" {
  description = "Workflows that may publish, as the `sub` of their tokens says, word for word; none where a worker publishes."
  type        = list(string)
  default     = []
}

variable "github_oidc_provider_arn" {
  description = "The account's OIDC provider of GitHub; null to make it."
  type        = string
  default     = null
}

variable "prune" {
  description = "Whether jobs may delete published files (`prune = true` in a job)."
  type        = bool
  default     = false
}

variable "worker" {
  description = "A worker on Fargate, which publishes on a schedule and measures ages each hour: `image`, `subnets` and so on of the module worker-schedule; null for none."
  type = object({
    image           = string
    subnets         = list(string)
    security_groups = list(string)
    schedule        = optional(string, "rate(1 hour)")
    secrets         = optional(map(string), {})
  })
  default = null
}

variable "alarm_emails" {
  description = "Who is told of alarms, by mail; each has to confirm once."
  type        = list(string)
  default     = []
}

variable "invalidations_usd" {
  description = "US dollars a month that invalidations may cost before alarm_emails are told."
  type        = number
  default     = 5
}

variable "cache_policy_id" {
  description = "A cache policy in place of the modules' own; null for those."
  type        = string
  default     = null
}

variable "response_headers_policy_id" {
  description = "A response headers policy in place of data-bucket's own; null for that."
  type        = string
  default     = null
}

variable "access_logs" {
  description = "`access_logs` of the three distributions."
  type = object({
    enabled         = optional(bool, true)
    destination_arn = optional(string)
    retention_days  = optional(number, 30)
  })
  default = {}
}

variable "publish_functions" {
  description = "Whether CloudFront's functions are published; false only before a stand-in for AWS that cannot."
  type        = bool
  default     = true
}

variable "force_destroy" {
  description = "Whether destroying the bucket destroys what is in it."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = { project = "hubdata" }
}
