# Two roles that hubdata itself never has: one starts its container, the other lets the scheduler ask for that.

locals {
  from_secrets    = sort(distinct([for arn in values(var.secrets) : arn if strcontains(arn, ":secretsmanager:")]))
  from_parameters = sort(distinct([for arn in values(var.secrets) : arn if strcontains(arn, ":ssm:")]))

  # An ARN may end in :JSON-KEY:VERSION:ID, which is no part of the resource.
  secret_arns = [for arn in local.from_secrets : regex("^(arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+)", arn)[0]]
}

resource "aws_iam_role" "execution" {
  name = "${var.name}-start"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ECS"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{ Sid = "Logs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.tasks.arn}:*" }],
      var.ecr_repository_arn == null ? [] : [
        { Sid = "Image", Effect = "Allow", Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource = var.ecr_repository_arn },
      ],
      # This action knows no resources.
      var.ecr_repository_arn == null ? [] : [
        { Sid = "Registry", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = "*" },
      ],
    )
  })
}

resource "aws_iam_role_policy" "secrets" {
  count = length(var.secrets) > 0 ? 1 : 0

  name = "secrets"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      length(local.secret_arns) > 0 ? [{ Sid = "Secrets", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = distinct(local.secret_arns) }] : [],
      length(local.from_parameters) > 0 ? [{ Sid = "Parameters", Effect = "Allow", Action = "ssm:GetParameters", Resource = local.from_parameters }] : [],
    )
  })
}

resource "aws_iam_role" "scheduler" {
  name = "${var.name}-schedule"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Scheduler"
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "run"
  role = aws_iam_role.scheduler.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Run"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = [for task in aws_ecs_task_definition.task : task.arn]
        Condition = { StringEquals = { "ecs:cluster" = local.cluster_arn } }
      },
      {
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = concat([aws_iam_role.execution.arn], sort(distinct([for task in values(var.tasks) : task.role_arn])))
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
