variable "name" {
  description = "What names of task definitions, schedules and roles begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{1,46}$", var.name))
    error_message = "name: expected 2 to 47 letters, digits and hyphens."
  }
}

variable "image" {
  description = "The image, by its digest: REGISTRY/NAME@sha256:..."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[^@\\s]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image: expected a name with a digest (@sha256:...): a tag may be another image tomorrow."
  }
}

variable "ecr_repository_arn" {
  description = "The ARN of the ECR repository that holds the image; null for a registry that asks for no credentials of AWS."
  type        = string
  default     = null

  validation {
    condition     = var.ecr_repository_arn == null || can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]+$", var.ecr_repository_arn))
    error_message = "ecr_repository_arn: expected the ARN of one repository."
  }
}

variable "tasks" {
  description = "What runs when: by name, a cron or rate expression of EventBridge in UTC (null: never by itself), the ARN of the role that it runs as, and its arguments (of hubdata) or, with entry_point, another program."
  type = map(object({
    schedule    = optional(string)
    role_arn    = string
    command     = optional(list(string), ["sync", "--once"])
    entry_point = optional(list(string))
  }))
  nullable = false

  validation {
    condition     = length(var.tasks) > 0 && alltrue([for name in keys(var.tasks) : can(regex("^[a-z0-9][a-z0-9-]{0,15}$", name))])
    error_message = "tasks: expected at least one, named with up to 16 of a-z, 0-9 and hyphens."
  }

  validation {
    condition     = alltrue([for task in values(var.tasks) : task.schedule == null || can(regex("^(cron|rate)\\(.+\\)$", task.schedule))])
    error_message = "tasks: expected a schedule such as rate(1 hour) or cron(15 3 * * ? *)."
  }
}

variable "environment" {
  description = "Settings as variables: HUBDATA_TARGETS__AWS__BUCKET and so on. No secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : !can(regex("(LICENSE_KEY|TOKEN|SECRET|PASSWORD)", name))])
    error_message = "environment: secrets belong into `secrets`: whoever may look at a task definition reads these."
  }
}

variable "secrets" {
  description = "ARNs of Secrets Manager's secrets, or of parameters of SSM, by the variable that holds their value: MAXMIND_LICENSE_KEY and so on."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)[^*?\\s]+$", arn))])
    error_message = "secrets: expected the ARN of one secret or parameter each, without wildcards."
  }
}

variable "subnets" {
  description = "Subnets that reach AWS, the git host and the vendor; dual-stack ones, so that a run can see the public copy over both families."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnets) > 0
    error_message = "subnets: expected at least one."
  }
}

variable "security_groups" {
  description = "Security groups: nothing comes in, HTTPS goes out."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_groups) > 0
    error_message = "security_groups: expected at least one: a VPC's own default lets all of its members in."
  }
}

variable "assign_public_ip" {
  description = "Whether tasks get a public IPv4 address: in subnets without a NAT gateway."
  type        = bool
  default     = false
  nullable    = false
}

variable "cluster_arn" {
  description = "The ECS cluster; null to make one."
  type        = string
  default     = null
}

variable "size" {
  description = "CPU units and MiB of memory, as Fargate has them, and the image's architecture."
  type = object({
    cpu          = optional(number, 512)
    memory_mib   = optional(number, 2048)
    architecture = optional(string, "X86_64")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["X86_64", "ARM64"], var.size.architecture)
    error_message = "size.architecture: expected X86_64 or ARM64."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
