# All three systems of the edge, and what keeps the data true: take out what you do not need.

module "data" {
  source = "../../modules/data-bucket"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name                       = var.bucket
  domain_name                = var.data_domain
  zone_id                    = var.zone_id
  cache_policy_id            = var.cache_policy_id
  response_headers_policy_id = var.response_headers_policy_id
  access_logs                = var.access_logs
  publish_functions          = var.publish_functions
  force_destroy              = var.force_destroy
}

module "api" {
  source = "../../modules/api-front"
  count  = var.api_domain == null ? 0 : 1

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  domain_name       = var.api_domain
  zone_id           = var.zone_id
  routes            = var.routes
  origin_lock       = var.origin_lock
  access_logs       = var.access_logs
  publish_functions = var.publish_functions
}

module "hub" {
  source = "../../modules/hub-front"
  count  = var.hub_domain == null ? 0 : 1

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  domain_name       = var.hub_domain
  zone_id           = var.zone_id
  repository        = var.repository
  refs              = var.refs
  cache_policy_id   = var.cache_policy_id
  access_logs       = var.access_logs
  publish_functions = var.publish_functions
}

module "workflow" {
  source = "../../modules/publisher-role"
  count  = length(var.github_subjects) > 0 ? 1 : 0

  name             = "${var.bucket}-workflow"
  bucket           = module.data.bucket
  distribution_arn = module.data.distribution_arn
  github           = { subjects = var.github_subjects, oidc_provider_arn = var.github_oidc_provider_arn }
  prune            = var.prune
}

module "worker_role" {
  source = "../../modules/publisher-role"
  count  = var.worker == null ? 0 : 1

  name              = "${var.bucket}-worker"
  bucket            = module.data.bucket
  distribution_arn  = module.data.distribution_arn
  ecs_account_id    = var.account_id
  prune             = var.prune
  metrics_namespace = "hubdata"
}

module "worker" {
  source = "../../modules/worker-schedule"
  count  = var.worker == null ? 0 : 1

  name            = var.bucket
  image           = var.worker.image
  subnets         = var.worker.subnets
  security_groups = var.worker.security_groups
  secrets         = var.worker.secrets

  tasks = {
    # Run by what measures ages, which tells its success.
    sync = {
      schedule    = var.worker.schedule
      role_arn    = module.worker_role[0].arn
      entry_point = ["python"]
      command     = concat(slice(module.observability.ages_command, 1, length(module.observability.ages_command)), ["hubdata", "sync", "--once"])
    }

    # Measured each hour, whoever publishes.
    ages = {
      schedule    = "rate(1 hour)"
      role_arn    = module.observability.ages_role_arn
      entry_point = ["python"]
      command     = slice(module.observability.ages_command, 1, length(module.observability.ages_command))
    }
  }

  environment = {
    HUBDATA_TARGETS__AWS__TYPE          = "s3"
    HUBDATA_TARGETS__AWS__BUCKET        = module.data.bucket
    HUBDATA_TARGETS__AWS__REGION        = var.region
    HUBDATA_TARGETS__AWS__CDN           = "edge"
    HUBDATA_CDNS__EDGE__TYPE            = "cloudfront"
    HUBDATA_CDNS__EDGE__DISTRIBUTION_ID = module.data.distribution_id
    HUBDATA_VERIFY__URL                 = module.data.url
    AWS_DEFAULT_REGION                  = var.region
  }
}

resource "aws_sns_topic" "alarms" {
  name = "${var.bucket}-alarms"
}

resource "aws_sns_topic" "edge_alarms" {
  provider = aws.us_east_1

  name = "${var.bucket}-edge-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "edge_alarms" {
  provider = aws.us_east_1
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.edge_alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

module "observability" {
  source = "../../modules/observability"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name               = var.bucket
  bucket             = var.bucket
  alarm_actions      = [aws_sns_topic.alarms.arn]
  edge_alarm_actions = [aws_sns_topic.edge_alarms.arn]
  ecs_account_id     = var.account_id

  distributions = merge(
    { data = module.data.distribution_id },
    { for front in module.api : "api" => front.distribution_id },
    { for front in module.hub : "hub" => front.distribution_id },
  )

  invalidations_budget = length(var.alarm_emails) == 0 ? null : { usd = var.invalidations_usd, emails = var.alarm_emails }
}
