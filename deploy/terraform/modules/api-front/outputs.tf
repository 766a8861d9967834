output "url" {
  description = "Where users call."
  value       = "https://${var.domain_name}"
}

output "distribution_id" {
  description = "The distribution's id, for alarms; null with entry = \"custom-domain\"."
  value       = one(aws_cloudfront_distribution.api[*].id)
}

output "distribution_arn" {
  description = "The distribution's ARN; null with entry = \"custom-domain\"."
  value       = one(aws_cloudfront_distribution.api[*].arn)
}

output "routes" {
  description = "Each route as it is served: the prefix of its paths, whether that is stripped, the origin's domain and path."
  value       = local.routes
}

output "origin_lock_header" {
  description = "The header that an API must check."
  value       = var.origin_lock_header
}

output "origin_lock_accepted" {
  description = "The values of that header which an API must accept, and no other."
  value       = compact([var.origin_lock.current, var.origin_lock.next])
  sensitive   = true
}

output "viewer_address_header" {
  description = "The header in which an API that has checked the lock may believe the viewer's address; null with entry = \"custom-domain\", where API Gateway itself knows it."
  value       = local.cloudfront ? var.viewer_address_header : null
}

output "access_log_group" {
  description = "The name of the log group that requests are logged to (in us-east-1); null when they go elsewhere."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}
