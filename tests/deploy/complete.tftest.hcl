# The complete example, planned with all three fronts and with what AWS would compute stood in for: what
# tests/deploy/test_edge.py replays requests through. It is copied beside the example for that.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = {
      id                          = "hub-data-test"
      arn                         = "arn:aws:s3:::hub-data-test"
      bucket_regional_domain_name = "hub-data-test.s3.eu-west-1.amazonaws.com"
    }
  }

  mock_resource "aws_cloudfront_origin_access_control" {
    defaults = { id = "E2OAC" }
  }

  mock_resource "aws_cloudfront_response_headers_policy" {
    defaults = { id = "33333333-3333-3333-3333-333333333333" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a-role" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:a-topic" }
  }
}

mock_provider "aws" {
  alias           = "us_east_1"
  override_during = plan

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [
        for name in ["api.example.net", "data.example.net", "hub.example.net"] : {
          domain_name           = name
          resource_record_name  = "_x.${name}."
          resource_record_type  = "CNAME"
          resource_record_value = "_y.acm-validations.aws."
        }
      ]
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/cloudfront/a-log" }
  }

  mock_resource "aws_cloudwatch_log_delivery_destination" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:delivery-destination:a-log" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:a-topic" }
  }
}

override_resource {
  target          = module.api[0].aws_cloudfront_distribution.api[0]
  override_during = plan
  values = {
    id          = "E2API"
    arn         = "arn:aws:cloudfront::123456789012:distribution/E2API"
    domain_name = "d111111111api.cloudfront.net"
  }
}

override_resource {
  target          = module.hub[0].aws_cloudfront_distribution.hub
  override_during = plan
  values = {
    id          = "E2HUB"
    arn         = "arn:aws:cloudfront::123456789012:distribution/E2HUB"
    domain_name = "d222222222hub.cloudfront.net"
  }
}

override_resource {
  target          = module.data.aws_cloudfront_distribution.data
  override_during = plan
  values = {
    id          = "E2DATA"
    arn         = "arn:aws:cloudfront::123456789012:distribution/E2DATA"
    domain_name = "d333333333data.cloudfront.net"
  }
}

override_resource {
  target          = module.data.aws_cloudfront_cache_policy.data[0]
  override_during = plan
  values          = { id = "11111111-1111-1111-1111-111111111111" }
}

override_resource {
  target          = module.hub[0].aws_cloudfront_cache_policy.hub[0]
  override_during = plan
  values          = { id = "22222222-2222-2222-2222-222222222222" }
}

override_resource {
  target          = module.api[0].aws_cloudfront_function.default[0]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front--default" }
}

override_resource {
  target          = module.api[0].aws_cloudfront_function.route["v2"]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front-v2" }
}

override_resource {
  target          = module.api[0].aws_cloudfront_function.route["v3"]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front-v3" }
}

override_resource {
  target          = module.api[0].aws_cloudfront_function.route["well-known"]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front-well-known" }
}

override_resource {
  target          = module.hub[0].aws_cloudfront_function.path
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/hub-front-path" }
}

override_resource {
  target          = module.data.aws_cloudfront_function.not_found
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/hub-data-test-not-found" }
}

variables {
  account_id  = "123456789012"
  zone_id     = "Z0123456789ABC"
  bucket      = "hub-data-test"
  data_domain = "data.example.net"
  api_domain  = "api.example.net"
  hub_domain  = "hub.example.net"
  repository  = "example/hub"
  refs        = ["master", "v1.6"]

  routes = {
    v2         = { domain = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", stage = "v2" }
    v3         = { domain = "f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com", stage = "v3" }
    well-known = { domain = "k1l2m3n4o5.execute-api.eu-west-1.amazonaws.com", stage = "prod", prefix = "/.well-known" }
  }

  origin_lock = {
    current = "the-secret-that-is-sent-now-0123456789"
    next    = "the-secret-that-comes-next-0123456789"
  }
}

run "complete" {
  command = plan
}
