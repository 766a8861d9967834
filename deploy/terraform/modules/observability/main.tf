# Alarms on what readers meet: errors and slowness at the edge, and data that has grown old.

resource "aws_cloudwatch_metric_alarm" "errors" {
  provider = aws.us_east_1
  for_each = var.distributions

  alarm_name          = "${var.name}-${each.key}-5xx"
  alarm_description   = "More than ${var.errors_percent} % of requests to the distribution ${each.key} are answered with 5xx."
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  dimensions          = { DistributionId = each.value, Region = "Global" }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.errors_percent
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.edge_alarm_actions
  ok_actions          = var.edge_alarm_actions
  tags                = var.tags
}

resource "aws_cloudfront_monitoring_subscription" "latency" {
  for_each = var.latency_ms == null ? {} : var.distributions

  distribution_id = each.value

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = "Enabled"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  provider = aws.us_east_1
  for_each = var.latency_ms == null ? {} : var.distributions

  alarm_name          = "${var.name}-${each.key}-latency"
  alarm_description   = "The origin of the distribution ${each.key} takes more than ${var.latency_ms} ms until its first byte."
  namespace           = "AWS/CloudFront"
  metric_name         = "OriginLatency"
  dimensions          = { DistributionId = each.value, Region = "Global" }
  extended_statistic  = "p90"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.latency_ms
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.edge_alarm_actions
  ok_actions          = var.edge_alarm_actions
  tags                = var.tags
}

# Ages are measured by ages.py, with each run or each hour. Where nobody measures, nobody knows: that is an alarm too.

locals {
  # An hour is good when a success was at most so old in it; so many hours without a good one are an alarm.
  fresh_s = 7200

  ages = merge(
    {
      for days in var.geoip_days == null ? [] : [var.geoip_days] : "geoip" => {
        metric     = "NewestGeoIPAge"
        dimensions = {}
        seconds    = days * 86400
        hours      = 3
        what       = "The newest public GeoIP database was built more than ${days} days ago, or nobody measures."
      }
    },
    {
      success = {
        metric     = "LastSuccessAge"
        dimensions = {}
        seconds    = local.fresh_s
        hours      = var.success_hours
        what       = "No job has succeeded for ${var.success_hours} hours, or nobody measures."
      }
    },
    {
      for job, hours in var.job_success_hours : "success-${job}" => {
        metric     = "SuccessAge"
        dimensions = { Job = job }
        seconds    = local.fresh_s
        hours      = hours
        what       = "The job ${job} has not succeeded for ${hours} hours, or nobody measures."
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = local.ages

  alarm_name          = "${var.name}-${each.key}-age"
  alarm_description   = each.value.what
  namespace           = var.namespace
  metric_name         = each.value.metric
  dimensions          = merge({ Bucket = var.bucket }, each.value.dimensions)
  statistic           = "Minimum"
  period              = 3600
  evaluation_periods  = each.value.hours
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.seconds
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

# Who measures may read the two places where ages are told, and write metrics of this namespace.

locals {
  bucket_arn = "arn:aws:s3:::${var.bucket}"
  lasts      = "${var.prefix}.hubdata/last/*"
}

resource "aws_iam_role" "ages" {
  count = var.ecs_account_id == null ? 0 : 1

  name        = "${var.name}-ages"
  description = "Measures how old the data in ${var.bucket} is"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ECS"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.ecs_account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "ages" {
  count = var.ecs_account_id == null ? 0 : 1

  name = "ages"
  role = aws_iam_role.ages[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "List"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = local.bucket_arn
        Condition = { StringLike = { "s3:prefix" = local.lasts } }
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = ["${local.bucket_arn}/${var.prefix}manifest.json", "${local.bucket_arn}/${local.lasts}"]
      },
      {
        Sid       = "Measure"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # this action knows no resources
        Condition = { StringEquals = { "cloudwatch:namespace" = var.namespace } }
      },
    ]
  })
}

# A month has 1,000 free paths; whoever publishes with many wildcards or very often pays for more.
resource "aws_budgets_budget" "invalidations" {
  count = var.invalidations_budget == null ? 0 : 1

  name         = "${var.name}-invalidations"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.invalidations_budget.usd)
  limit_unit   = "USD"
  tags         = var.tags

  cost_filter {
    name   = "Service"
    values = ["Amazon CloudFront"]
  }

  cost_filter {
    name   = "UsageType"
    values = ["Invalidations"]
  }

  dynamic "notification" {
    for_each = { FORECASTED = 80, ACTUAL = 100 }

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.invalidations_budget.emails
    }
  }
}
