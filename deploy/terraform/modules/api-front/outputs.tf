output "url" {
  description = "Where users call."
  value       = "https://${var.domain_name}"
}

output "distribution_id" {
  description = "The distribution, for alarms and invalidations; null with entry = \"custom-domain\"."
  value       = null
}

output "distribution_arn" {
  description = "The distribution's ARN; null with entry = \"custom-domain\"."
  value       = null
}

output "distribution_domain_name" {
  description = "The name behind the A and AAAA records; null with entry = \"custom-domain\"."
  value       = null
}

output "routes" {
  description = "Each route as it is served: path pattern, whether its prefix is stripped, the origin's domain and path."
  value       = {}
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
  description = "The header in which an API that has checked the lock may believe the viewer's address."
  value       = var.viewer_address_header
}
