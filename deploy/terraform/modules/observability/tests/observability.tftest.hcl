# What the module promises, without an account. That ages are measured rightly is shown in tests/deploy.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/hubdata-ages"
    }
  }
}

mock_provider "aws" {
  alias           = "us_east_1"
  override_during = plan
}

variables {
  name                 = "hubdata"
  bucket               = "hub-data-test"
  distributions        = { data = "E2TESTTESTTEST" }
  alarm_actions        = ["arn:aws:sns:eu-west-1:123456789012:people"]
  edge_alarm_actions   = ["arn:aws:sns:us-east-1:123456789012:people"]
  ecs_account_id       = "123456789012"
  latency_ms           = 500
  job_success_hours    = { maxmind = 50 }
  invalidations_budget = { usd = 5, emails = ["ops@example.net"] }
}

run "with_everything" {
  command = plan

  assert {
    condition = alltrue([
      aws_cloudwatch_metric_alarm.errors["data"].namespace == "AWS/CloudFront",
      aws_cloudwatch_metric_alarm.errors["data"].metric_name == "5xxErrorRate",
      aws_cloudwatch_metric_alarm.errors["data"].dimensions == tomap({ DistributionId = "E2TESTTESTTEST", Region = "Global" }),
      aws_cloudwatch_metric_alarm.errors["data"].comparison_operator == "GreaterThanThreshold",
      aws_cloudwatch_metric_alarm.errors["data"].threshold == 1,
      aws_cloudwatch_metric_alarm.errors["data"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:people"]),
    ])
    error_message = "5xx of the distribution must be alarmed on, in us-east-1"
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_metric_alarm.latency["data"].metric_name == "OriginLatency",
      aws_cloudwatch_metric_alarm.latency["data"].extended_statistic == "p90",
      aws_cloudwatch_metric_alarm.latency["data"].threshold == 500,
      aws_cloudwatch_metric_alarm.latency["data"].dimensions["DistributionId"] == "E2TESTTESTTEST",
      aws_cloudfront_monitoring_subscription.latency["data"].monitoring_subscription[0].realtime_metrics_subscription_config[0].realtime_metrics_subscription_status == "Enabled",
    ])
    error_message = "latency must be alarmed on, with the metrics that it needs turned on"
  }

  assert {
    condition = alltrue([
      for name, expected in {
        geoip           = ["NewestGeoIPAge", 864000, 3, { Bucket = "hub-data-test" }]
        success         = ["LastSuccessAge", 7200, 26, { Bucket = "hub-data-test" }]
        success-maxmind = ["SuccessAge", 7200, 50, { Bucket = "hub-data-test", Job = "maxmind" }]
        } : alltrue([
          aws_cloudwatch_metric_alarm.age[name].namespace == "hubdata",
          aws_cloudwatch_metric_alarm.age[name].metric_name == expected[0],
          aws_cloudwatch_metric_alarm.age[name].threshold == expected[1],
          aws_cloudwatch_metric_alarm.age[name].evaluation_periods == expected[2],
          aws_cloudwatch_metric_alarm.age[name].period == 3600,
          aws_cloudwatch_metric_alarm.age[name].dimensions == tomap(expected[3]),
          aws_cloudwatch_metric_alarm.age[name].comparison_operator == "GreaterThanThreshold",
          aws_cloudwatch_metric_alarm.age[name].treat_missing_data == "breaching",
          aws_cloudwatch_metric_alarm.age[name].alarm_actions == toset(["arn:aws:sns:eu-west-1:123456789012:people"]),
      ])
    ])
    error_message = "old data must be alarmed on, and so must nobody's measuring"
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.age) == ["geoip", "success", "success-maxmind"]
    error_message = "the newest database, any job and each named job must be watched"
  }

  assert {
    condition = { for each in jsondecode(aws_iam_role_policy.ages[0].policy).Statement : each.Sid => jsonencode([each.Action, each.Resource, try(each.Condition, {})]) } == {
      List    = jsonencode(["s3:ListBucket", "arn:aws:s3:::hub-data-test", { StringLike = { "s3:prefix" = ".hubdata/last/*" } }])
      Read    = jsonencode(["s3:GetObject", ["arn:aws:s3:::hub-data-test/manifest.json", "arn:aws:s3:::hub-data-test/.hubdata/last/*"], {}])
      Measure = jsonencode(["cloudwatch:PutMetricData", "*", { StringEquals = { "cloudwatch:namespace" = "hubdata" } }])
    }
    error_message = "who measures may read what tells ages, and write metrics of the one namespace"
  }

  assert {
    condition = alltrue([
      aws_budgets_budget.invalidations[0].limit_amount == "5",
      aws_budgets_budget.invalidations[0].time_unit == "MONTHLY",
      { for filter in aws_budgets_budget.invalidations[0].cost_filter : filter.name => filter.values } == { Service = tolist(["Amazon CloudFront"]), UsageType = tolist(["Invalidations"]) },
      { for each in aws_budgets_budget.invalidations[0].notification : each.notification_type => each.threshold } == { FORECASTED = 80, ACTUAL = 100 },
    ])
    error_message = "invalidations must have a budget of their own, told of before it is spent"
  }
}

run "as_it_comes" {
  command = plan

  variables {
    ecs_account_id       = null
    latency_ms           = null
    job_success_hours    = {}
    invalidations_budget = null
    geoip_days           = null
  }

  assert {
    condition = alltrue([
      length(aws_iam_role.ages) == 0,
      length(aws_cloudwatch_metric_alarm.latency) == 0,
      length(aws_cloudfront_monitoring_subscription.latency) == 0,
      length(aws_budgets_budget.invalidations) == 0,
      keys(aws_cloudwatch_metric_alarm.age) == ["success"],
    ])
    error_message = "what costs, or lets somebody in, must be asked for"
  }
}

run "what_cannot_be" {
  command = plan

  variables {
    name                 = "-"
    bucket               = "*"
    prefix               = "*/"
    namespace            = "AWS/CloudFront"
    errors_percent       = 0
    latency_ms           = 0
    geoip_days           = 365
    success_hours        = 0
    job_success_hours    = { maxmind = 0 }
    ecs_account_id       = "*"
    invalidations_budget = { usd = 0, emails = [] }
  }

  expect_failures = [
    var.name, var.bucket, var.prefix, var.namespace, var.errors_percent, var.latency_ms, var.geoip_days, var.success_hours,
    var.job_success_hours, var.ecs_account_id, var.invalidations_budget,
  ]
}
