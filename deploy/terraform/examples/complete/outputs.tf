output "bucket" {
  description = "`bucket` of hubdata's target."
  value       = module.data.bucket
}

output "distribution_id" {
  description = "`distribution_id` of hubdata's CDN."
  value       = module.data.distribution_id
}

output "url" {
  description = "`url` of `[verify]`."
  value       = module.data.url
}

output "workflow_role_arn" {
  description = "The role that workflows publish with; null where none do."
  value       = one(module.workflow[*].arn)
}

output "worker_role_arn" {
  description = "The role that the worker publishes with; null where there is none."
  value       = one(module.worker_role[*].arn)
}

output "ages_command" {
  description = "What measures ages, for whoever has another scheduler: a command for hubdata's image in place of its entry point."
  value       = module.observability.ages_command
}

output "api_url" {
  description = "Where users call the APIs; null without that front."
  value       = one(module.api[*].url)
}

output "hub_url" {
  description = "Where users fetch the hub from; null without that front."
  value       = one(module.hub[*].url)
}

output "settings" {
  description = "hubdata.toml."
  value       = <<-EOT
    [targets.aws]
    type = "s3"
    bucket = "${module.data.bucket}"
    region = "${var.region}"
    cdn = "edge"

    [cdns.edge]
    type = "cloudfront"
    distribution_id = "${module.data.distribution_id}"

    [verify]
    url = "${module.data.url}"
    families = ["ipv4", "ipv6"]
  EOT
}
