# Who may take the role. Every condition is an equality: a wildcard in a subject is how strangers' workflows get in.

locals {
  github_host = "token.actions.githubusercontent.com"
  github_arn  = var.github == null ? null : coalesce(var.github.oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))

  github_trust = var.github == null ? [] : [{
    Sid       = "GitHub"
    Effect    = "Allow"
    Principal = { Federated = local.github_arn }
    Action    = "sts:AssumeRoleWithWebIdentity"
    Condition = {
      StringEquals = {
        "${local.github_host}:aud" = "sts.amazonaws.com"
        "${local.github_host}:sub" = var.github.subjects
      }
    }
  }]

  ecs_trust = var.ecs_account_id == null ? [] : [{
    Sid       = "ECS"
    Effect    = "Allow"
    Principal = { Service = "ecs-tasks.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = { StringEquals = { "aws:SourceAccount" = var.ecs_account_id } }
  }]

  issuer = var.kubernetes == null ? null : regex("oidc-provider/(.+)$", var.kubernetes.oidc_provider_arn)[0]

  kubernetes_trust = var.kubernetes == null ? [] : [{
    Sid       = "Kubernetes"
    Effect    = "Allow"
    Principal = { Federated = var.kubernetes.oidc_provider_arn }
    Action    = "sts:AssumeRoleWithWebIdentity"
    Condition = {
      StringEquals = {
        "${local.issuer}:aud" = "sts.amazonaws.com"
        "${local.issuer}:sub" = "system:serviceaccount:${var.kubernetes.namespace}:${var.kubernetes.service_account}"
      }
    }
  }]

  # Through JSON, because each has conditions of a shape of its own.
  trust = flatten([for each in [jsonencode(local.github_trust), jsonencode(local.ecs_trust), jsonencode(local.kubernetes_trust)] : jsondecode(each)])
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github != null && try(var.github.oidc_provider_arn, null) == null ? 1 : 0

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}
