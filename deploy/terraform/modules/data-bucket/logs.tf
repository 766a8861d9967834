# Access logs, as CloudFront has delivered them since 2024: by CloudWatch Logs, and always from us-east-1.

locals {
  log_group = var.access_logs.enabled && var.access_logs.destination_arn == null
}

resource "aws_cloudwatch_log_group" "access" {
  provider = aws.us_east_1
  count    = local.log_group ? 1 : 0

  name              = "/aws/vendedlogs/cloudfront/${var.name}"
  retention_in_days = var.access_logs.retention_days
  tags              = var.tags
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  provider = aws.us_east_1
  count    = var.access_logs.enabled ? 1 : 0

  name         = "${var.name}-access"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.data.arn
  tags         = var.tags
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  provider = aws.us_east_1
  count    = var.access_logs.enabled ? 1 : 0

  name          = "${var.name}-access"
  output_format = "json"
  tags          = var.tags

  delivery_destination_configuration {
    destination_resource_arn = local.log_group ? aws_cloudwatch_log_group.access[0].arn : var.access_logs.destination_arn
  }
}

resource "aws_cloudwatch_log_delivery" "access" {
  provider = aws.us_east_1
  count    = var.access_logs.enabled ? 1 : 0

  delivery_source_name     = aws_cloudwatch_log_delivery_source.access[0].name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access[0].arn
  tags                     = var.tags
}
