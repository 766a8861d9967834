output "arn" {
  description = "The role's ARN: `role-to-assume` of a workflow, `task_role_arn` of a task, `eks.amazonaws.com/role-arn` of a service account."
  value       = aws_iam_role.publisher.arn
}

output "name" {
  description = "The role's name."
  value       = aws_iam_role.publisher.name
}

output "github_oidc_provider_arn" {
  description = "The ARN of GitHub's OIDC provider, for further roles of this account; null where no workflow takes the role."
  value       = local.github_arn
}
