output "bucket" {
  description = "The bucket's name: `bucket` of hubdata's target."
  value       = aws_s3_bucket.data.id
}

output "bucket_arn" {
  description = "The bucket's ARN."
  value       = local.bucket_arn
}

output "distribution_id" {
  description = "The distribution's id: `distribution_id` of hubdata's CDN."
  value       = aws_cloudfront_distribution.data.id
}

output "distribution_arn" {
  description = "The distribution's ARN."
  value       = aws_cloudfront_distribution.data.arn
}

output "url" {
  description = "Where engines download from: `url` of `[verify]`."
  value       = "https://${var.domain_name}"
}

output "access_log_group" {
  description = "The name of the log group that requests are logged to (in us-east-1); null when they go elsewhere."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}
