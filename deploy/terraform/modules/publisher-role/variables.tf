variable "name" {
  description = "The role's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.name))
    error_message = "name: expected 1 to 64 of letters, digits and + = , . @ _ -."
  }
}

variable "bucket" {
  description = "The name of the bucket that the role publishes to."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket: expected the name of one bucket, without wildcards."
  }
}

variable "prefix" {
  description = "`prefix` of hubdata's target, ending in a slash: the role reaches nothing beside it. Empty for the whole bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.prefix == "" || can(regex("^([A-Za-z0-9._-]+/)+$", var.prefix))
    error_message = "prefix: expected a path that ends in a slash, such as data/public/, without wildcards."
  }
}

variable "distribution_arn" {
  description = "The ARN of the distribution that the role may invalidate; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.distribution_arn == null || can(regex("^arn:aws[a-z-]*:cloudfront::[0-9]{12}:distribution/[A-Z0-9]+$", var.distribution_arn))
    error_message = "distribution_arn: expected the ARN of one distribution."
  }
}

variable "github" {
  description = "For a workflow: who may take the role, as the `sub` of GitHub's tokens says, word for word (`repo:OWNER/NAME:ref:refs/heads/main`; newer repositories have ids in it), and the account's OIDC provider, null to make it."
  type = object({
    subjects          = list(string)
    oidc_provider_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.github == null || try(length(var.github.subjects) > 0 && alltrue([for subject in var.github.subjects : can(regex("^repo:[^*?\\s]+$", subject))]), false)
    error_message = "github.subjects: expected at least one `repo:...`, without * or ?: a wildcard lets pull requests of strangers in."
  }

  validation {
    condition     = try(var.github.oidc_provider_arn, null) == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.github.oidc_provider_arn))
    error_message = "github.oidc_provider_arn: expected arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com."
  }
}

variable "ecs_account_id" {
  description = "For a worker in ECS: the account whose tasks may take the role; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.ecs_account_id == null || can(regex("^[0-9]{12}$", var.ecs_account_id))
    error_message = "ecs_account_id: expected 12 digits."
  }
}

variable "kubernetes" {
  description = "For a worker in Kubernetes (IRSA): the cluster's OIDC provider, and the service account that may take the role; null for none."
  type = object({
    oidc_provider_arn = string
    namespace         = string
    service_account   = string
  })
  default = null

  validation {
    condition     = var.kubernetes == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[^*?\\s]+$", var.kubernetes.oidc_provider_arn))
    error_message = "kubernetes.oidc_provider_arn: expected arn:aws:iam::ACCOUNT:oidc-provider/ISSUER."
  }

  validation {
    condition     = var.kubernetes == null || can(regex("^[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$", "${var.kubernetes.namespace}:${var.kubernetes.service_account}"))
    error_message = "kubernetes: expected the names of a namespace and a service account, without wildcards."
  }
}

variable "read_only" {
  description = "Whether the role may only read: enough for `hubdata plan`, `diff` and `audit`."
  type        = bool
  default     = false
  nullable    = false
}

variable "prune" {
  description = "Whether the role may delete published objects: for `prune`, and to clear away what a broken-off run has put for nothing."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.prune && var.read_only)
    error_message = "prune: a role that only reads deletes nothing."
  }
}

variable "history" {
  description = "Whether the role may read past versions: for `history`, `rollback` and `diff generation:N`."
  type        = bool
  default     = false
  nullable    = false
}

variable "retention" {
  description = "Whether the role may delete past versions for good: for `[retention]`. The bucket's lifecycle does the same without it."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.retention && var.read_only)
    error_message = "retention: a role that only reads deletes nothing."
  }
}

variable "multipart" {
  description = "Whether the role may abort uploads in parts: for files over `multipart_over_bytes`."
  type        = bool
  default     = false
  nullable    = false
}

variable "wait" {
  description = "Whether the role may ask how far an invalidation is: for `--wait`."
  type        = bool
  default     = true
  nullable    = false
}

variable "cache_tags" {
  description = "Whether the role may read the distribution's settings: for `cache_tags`."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that wraps the signing key (`[sign]`); null for none."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn: expected the ARN of one key."
  }
}

variable "metrics_namespace" {
  description = "The CloudWatch namespace that the role may put metrics into (`namespace` of the module observability); null for none."
  type        = string
  default     = null

  validation {
    condition     = var.metrics_namespace == null || can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace))
    error_message = "metrics_namespace: expected one namespace, without wildcards."
  }
}

variable "max_session_s" {
  description = "Seconds that one session of the role lasts at most."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_session_s >= 3600 && var.max_session_s <= 43200
    error_message = "max_session_s: expected 3600 to 43200 seconds."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
