output "url" {
  description = "Where users fetch from: what followed owner/name at the git host follows here."
  value       = "https://${var.domain_name}"
}

output "distribution_id" {
  description = "The distribution's id, for alarms and invalidations."
  value       = aws_cloudfront_distribution.hub.id
}

output "distribution_arn" {
  description = "The distribution's ARN."
  value       = aws_cloudfront_distribution.hub.arn
}

output "access_log_group" {
  description = "The name of the log group that requests are logged to (in us-east-1); null when they go elsewhere."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}
