# What the module promises, without an account: resources as planned, with what AWS would compute stood in for.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_cloudfront_distribution" {
    defaults = {
      id             = "E2TESTTESTTEST"
      arn            = "arn:aws:cloudfront::123456789012:distribution/E2TESTTESTTEST"
      domain_name    = "d111111abcdef8.cloudfront.net"
      hosted_zone_id = "Z2FDTNDATAQYW2"
    }
  }

  mock_resource "aws_cloudfront_cache_policy" {
    defaults = {
      id = "11111111-1111-1111-1111-111111111111"
    }
  }

  mock_resource "aws_cloudfront_function" {
    defaults = {
      arn = "arn:aws:cloudfront::123456789012:function/hub-front-path"
    }
  }
}

mock_provider "aws" {
  alias           = "us_east_1"
  override_during = plan

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [{
        domain_name           = "hub.example.net"
        resource_record_name  = "_x.hub.example.net."
        resource_record_type  = "CNAME"
        resource_record_value = "_y.acm-validations.aws."
      }]
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/cloudfront/hub-front"
    }
  }

  mock_resource "aws_cloudwatch_log_delivery_destination" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:123456789012:delivery-destination:hub-front-access"
    }
  }
}

variables {
  domain_name = "hub.example.net"
  zone_id     = "Z0123456789ABC"
  repository  = "example/hub"
  refs        = ["master", "v1.6"]
}

run "front" {
  command = plan

  assert {
    condition     = aws_cloudfront_distribution.hub.is_ipv6_enabled && aws_cloudfront_distribution.hub.http_version == "http2and3"
    error_message = "Viewers with IPv6 alone, and with HTTP/3, are served."
  }

  assert {
    condition     = toset([for record in aws_route53_record.address : record.type]) == toset(["A", "AAAA"])
    error_message = "The domain has an address of each family."
  }

  assert {
    condition     = aws_cloudfront_distribution.hub.aliases == toset(["hub.example.net"])
    error_message = "The distribution answers to the domain."
  }

  assert {
    condition     = aws_cloudfront_distribution.hub.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "TLS 1.2 with today's ciphers at least."
  }

  assert {
    condition = [
      for origin in aws_cloudfront_distribution.hub.origin :
      "${origin.custom_origin_config[0].origin_protocol_policy} ${origin.domain_name}${origin.origin_path}"
    ] == ["https-only raw.githubusercontent.com/example/hub"]
    error_message = "The one origin is the repository, over TLS."
  }

  assert {
    condition = (
      aws_cloudfront_distribution.hub.default_cache_behavior[0].allowed_methods == toset(["GET", "HEAD"])
      && aws_cloudfront_distribution.hub.default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https"
      && aws_cloudfront_distribution.hub.default_cache_behavior[0].origin_request_policy_id == null
      && length(aws_cloudfront_distribution.hub.ordered_cache_behavior) == 0
    )
    error_message = "Files are read, over TLS, and nothing of the viewer is sent on."
  }

  assert {
    condition = (
      aws_cloudfront_cache_policy.hub[0].default_ttl == 60
      && aws_cloudfront_cache_policy.hub[0].max_ttl == 300
      && aws_cloudfront_cache_policy.hub[0].parameters_in_cache_key_and_forwarded_to_origin[0].cookies_config[0].cookie_behavior == "none"
      && aws_cloudfront_cache_policy.hub[0].parameters_in_cache_key_and_forwarded_to_origin[0].query_strings_config[0].query_string_behavior == "none"
      && aws_cloudfront_cache_policy.hub[0].parameters_in_cache_key_and_forwarded_to_origin[0].headers_config[0].header_behavior == "none"
    )
    error_message = "Files are kept for minutes, and neither cookies nor queries reach the git host or split the cache."
  }

  assert {
    condition     = aws_cloudfront_distribution.hub.default_cache_behavior[0].cache_policy_id == aws_cloudfront_cache_policy.hub[0].id
    error_message = "The module's own cache policy is used."
  }

  assert {
    condition     = { for error in aws_cloudfront_distribution.hub.custom_error_response : error.error_code => error.error_caching_min_ttl } == { 403 = 5, 404 = 5, 500 = 5, 502 = 5, 503 = 5, 504 = 5 }
    error_message = "Errors are forgotten after five seconds."
  }

  assert {
    condition = (
      [for one in aws_cloudfront_distribution.hub.default_cache_behavior[0].function_association : "${one.event_type} ${one.function_arn}"] ==
      ["viewer-request ${aws_cloudfront_function.path.arn}"]
      && aws_cloudfront_function.path.publish
      && aws_cloudfront_function.path.runtime == "cloudfront-js-2.0"
      && startswith(aws_cloudfront_function.path.code, "const REFS = [\"master\",\"v1.6\"];\n")
    )
    error_message = "Every request passes the published function, which knows the refs that are served."
  }

  assert {
    condition     = aws_cloudwatch_log_delivery_source.access[0].resource_arn == aws_cloudfront_distribution.hub.arn
    error_message = "Requests are logged."
  }

  # Only the stand-in for us-east-1 gives ARNs: elsewhere they would be what Terraform makes up.
  assert {
    condition = (
      startswith(aws_cloudwatch_log_delivery.access[0].delivery_destination_arn, "arn:aws:logs:us-east-1:")
      && startswith(aws_cloudwatch_log_delivery_destination.access[0].delivery_destination_configuration[0].destination_resource_arn, "arn:aws:logs:us-east-1:")
    )
    error_message = "Logs are delivered from us-east-1, where CloudFront's are."
  }
}

run "with_choices" {
  command = plan

  variables {
    certificate          = { arn = "arn:aws:acm:us-east-1:123456789012:certificate/99999999-2222-3333-4444-555555555555" }
    access_logs          = { enabled = false }
    origin_shield_region = "us-east-1"
  }

  assert {
    condition = (
      aws_cloudfront_distribution.hub.viewer_certificate[0].acm_certificate_arn == var.certificate.arn
      && length(aws_acm_certificate.hub) == 0
      && length(aws_route53_record.validation) == 0
    )
    error_message = "The given certificate is used, and none is requested beside it."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.hub.origin).origin_shield[0].origin_shield_region == "us-east-1"
    error_message = "One region asks for all."
  }

  assert {
    condition     = length(aws_cloudwatch_log_delivery.access) == 0 && length(aws_cloudwatch_log_group.access) == 0
    error_message = "No log is kept where none is wanted."
  }
}

run "refuses_commits_as_refs" {
  command = plan

  variables {
    refs = ["0123456789abcdef0123456789abcdef01234567"]
  }

  expect_failures = [var.refs]
}

run "refuses_pull_requests_as_refs" {
  command = plan

  variables {
    refs = ["refs/pull/1/head"]
  }

  expect_failures = [var.refs]
}

run "refuses_a_path_as_repository" {
  command = plan

  variables {
    repository = "example/.."
  }

  expect_failures = [var.repository]
}

run "refuses_to_keep_files_for_days" {
  command = plan

  variables {
    cache_seconds = { default = 86400, most = 86400 }
  }

  expect_failures = [var.cache_seconds]
}
