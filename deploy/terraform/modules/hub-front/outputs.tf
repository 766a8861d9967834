output "url" {
  description = "Where users fetch from: what followed owner/name at the git host follows here."
  value       = "https://${var.domain_name}"
}

output "distribution_id" {
  description = "The distribution, for alarms and invalidations."
  value       = null
}

output "distribution_arn" {
  description = "The distribution's ARN."
  value       = null
}

output "distribution_domain_name" {
  description = "The name behind the A and AAAA records."
  value       = null
}
