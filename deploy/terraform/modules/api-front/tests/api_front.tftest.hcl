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
}

mock_provider "aws" {
  alias           = "us_east_1"
  override_during = plan

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [{
        domain_name           = "api.example.net"
        resource_record_name  = "_x.api.example.net."
        resource_record_type  = "CNAME"
        resource_record_value = "_y.acm-validations.aws."
      }]
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/cloudfront/api-front"
    }
  }

  mock_resource "aws_cloudwatch_log_delivery_destination" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:123456789012:delivery-destination:api-front-access"
    }
  }
}

# Each function has an ARN of its own, so that it shows which of them a behaviour runs.
override_resource {
  target          = aws_cloudfront_function.default[0]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front--default" }
}

override_resource {
  target          = aws_cloudfront_function.route["v2"]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front-v2" }
}

override_resource {
  target          = aws_cloudfront_function.route["v3"]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front-v3" }
}

override_resource {
  target          = aws_cloudfront_function.route["well-known"]
  override_during = plan
  values          = { arn = "arn:aws:cloudfront::123456789012:function/api-front-well-known" }
}

variables {
  domain_name = "api.example.net"
  zone_id     = "Z0123456789ABC"

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

run "front" {
  command = plan

  assert {
    condition     = aws_cloudfront_distribution.api[0].is_ipv6_enabled && aws_cloudfront_distribution.api[0].http_version == "http2and3"
    error_message = "Viewers with IPv6 alone, and with HTTP/3, are served."
  }

  assert {
    condition     = toset([for record in aws_route53_record.address : record.type]) == toset(["A", "AAAA"])
    error_message = "The domain has an address of each family."
  }

  assert {
    condition = alltrue([
      for record in aws_route53_record.address :
      record.name == "api.example.net" && record.alias[0].name == aws_cloudfront_distribution.api[0].domain_name
    ])
    error_message = "Both addresses are the distribution's."
  }

  assert {
    condition     = aws_cloudfront_distribution.api[0].aliases == toset(["api.example.net"])
    error_message = "The distribution answers to the domain."
  }

  assert {
    condition = (
      aws_cloudfront_distribution.api[0].viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
      && aws_cloudfront_distribution.api[0].viewer_certificate[0].ssl_support_method == "sni-only"
    )
    error_message = "TLS 1.2 with today's ciphers at least, and no dedicated addresses."
  }

  assert {
    condition = alltrue([
      for function in concat(values(aws_cloudfront_function.route), aws_cloudfront_function.default) :
      function.publish && function.runtime == "cloudfront-js-2.0" && length(function.code) <= 10240
    ])
    error_message = "Every function is published, for runtime 2.0, and no larger than CloudFront takes."
  }

  assert {
    condition = { for name, function in aws_cloudfront_function.route : name => split("\n", function.code)[0] } == {
      v2         = "const ROUTE = {\"address\":\"x-viewer-address\",\"lock\":\"x-origin-lock\",\"prefix\":\"/v2\",\"strip\":false};"
      v3         = "const ROUTE = {\"address\":\"x-viewer-address\",\"lock\":\"x-origin-lock\",\"prefix\":\"/v3\",\"strip\":false};"
      well-known = "const ROUTE = {\"address\":\"x-viewer-address\",\"lock\":\"x-origin-lock\",\"prefix\":\"/.well-known\",\"strip\":true};"
    }
    error_message = "Each function knows its route."
  }

  assert {
    condition = { for behavior in aws_cloudfront_distribution.api[0].ordered_cache_behavior : behavior.path_pattern => behavior.target_origin_id } == {
      "/v2/*"          = "v2"
      "/v3/*"          = "v3"
      "/.well-known/*" = "well-known"
    }
    error_message = "Each route has a behaviour, which leads to its own origin."
  }

  assert {
    condition = { for origin in nonsensitive(aws_cloudfront_distribution.api[0].origin) : origin.origin_id => "${origin.domain_name}${origin.origin_path == null ? "" : origin.origin_path}" } == {
      v2         = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
      v3         = "f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com"
      well-known = "k1l2m3n4o5.execute-api.eu-west-1.amazonaws.com/prod"
      "-nowhere" = "nowhere.api.example.net"
    }
    error_message = "Each origin is its API; where the prefix is stripped, its path puts the stage there."
  }

  assert {
    condition = alltrue([
      for origin in nonsensitive(aws_cloudfront_distribution.api[0].origin) :
      origin.custom_origin_config[0].origin_protocol_policy == "https-only" && origin.custom_origin_config[0].origin_ssl_protocols == toset(["TLSv1.2"])
    ])
    error_message = "APIs are asked over TLS 1.2 alone."
  }

  assert {
    condition = alltrue([
      for origin in nonsensitive(aws_cloudfront_distribution.api[0].origin) :
      join("\n", [for header in origin.custom_header : "${header.name}: ${header.value}"]) ==
      (origin.origin_id == "-nowhere" ? "" : "x-origin-lock: the-secret-that-is-sent-now-0123456789")
    ])
    error_message = "Every API is shown the secret, and nobody else is."
  }

  assert {
    condition = alltrue([
      for behavior in aws_cloudfront_distribution.api[0].ordered_cache_behavior :
      behavior.cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
      && behavior.origin_request_policy_id == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
      && behavior.response_headers_policy_id == "67f7725c-6f97-4210-82d7-5512b31e9d03"
    ])
    error_message = "Nothing is cached, everything but Host is sent on, and answers have security headers."
  }

  assert {
    condition = alltrue([
      for behavior in concat(aws_cloudfront_distribution.api[0].ordered_cache_behavior, aws_cloudfront_distribution.api[0].default_cache_behavior) :
      behavior.viewer_protocol_policy == "redirect-to-https" && length(behavior.allowed_methods) == 7
    ])
    error_message = "Every method is let through, and nothing without TLS."
  }

  assert {
    condition = alltrue([
      for behavior in aws_cloudfront_distribution.api[0].ordered_cache_behavior :
      [for one in behavior.function_association : "${one.event_type} ${one.function_arn}"] ==
      ["viewer-request ${aws_cloudfront_function.route[behavior.target_origin_id].arn}"]
    ])
    error_message = "Every route's requests pass its own function, and no other."
  }

  assert {
    condition = (
      aws_cloudfront_distribution.api[0].default_cache_behavior[0].target_origin_id == "-nowhere"
      && [for one in aws_cloudfront_distribution.api[0].default_cache_behavior[0].function_association : "${one.event_type} ${one.function_arn}"] ==
      ["viewer-request ${aws_cloudfront_function.default[0].arn}"]
    )
    error_message = "What belongs to no route is answered by a function, before an origin that is none."
  }

  assert {
    condition = (
      aws_cloudwatch_log_delivery_source.access[0].resource_arn == aws_cloudfront_distribution.api[0].arn
      && aws_cloudwatch_log_delivery_source.access[0].log_type == "ACCESS_LOGS"
      && aws_cloudwatch_log_delivery_destination.access[0].delivery_destination_configuration[0].destination_resource_arn == aws_cloudwatch_log_group.access[0].arn
      && aws_cloudwatch_log_group.access[0].retention_in_days == 30
    )
    error_message = "Requests are logged for 30 days."
  }

  # Only the stand-in for us-east-1 gives ARNs: elsewhere they would be what Terraform makes up.
  assert {
    condition = (
      startswith(aws_cloudwatch_log_delivery.access[0].delivery_destination_arn, "arn:aws:logs:us-east-1:")
      && startswith(aws_cloudwatch_log_delivery_destination.access[0].delivery_destination_configuration[0].destination_resource_arn, "arn:aws:logs:us-east-1:")
    )
    error_message = "Logs are delivered from us-east-1, where CloudFront's are."
  }

  assert {
    condition     = join(" ", nonsensitive(output.origin_lock_accepted)) == "the-secret-that-is-sent-now-0123456789 the-secret-that-comes-next-0123456789"
    error_message = "While a secret is replaced, APIs accept both; one is sent."
  }
}

# The steps of a replacement, as the README has them: "front" is the first.
run "rotation_sends_the_new_secret" {
  command = plan

  variables {
    origin_lock = {
      current = "the-secret-that-comes-next-0123456789"
      next    = "the-secret-that-is-sent-now-0123456789"
    }
  }

  assert {
    condition = alltrue([
      for origin in nonsensitive(aws_cloudfront_distribution.api[0].origin) : alltrue([
        for header in origin.custom_header :
        header.value == "the-secret-that-comes-next-0123456789" && contains(nonsensitive(run.front.origin_lock_accepted), header.value)
      ])
    ])
    error_message = "What is sent now is what APIs were told to accept in the step before."
  }

  assert {
    condition     = contains(nonsensitive(output.origin_lock_accepted), "the-secret-that-is-sent-now-0123456789")
    error_message = "What edges that are not yet changed send is still accepted."
  }
}

run "rotation_ends_with_one_secret" {
  command = plan

  variables {
    origin_lock = { current = "the-secret-that-comes-next-0123456789" }
  }

  assert {
    condition     = join(" ", nonsensitive(output.origin_lock_accepted)) == "the-secret-that-comes-next-0123456789"
    error_message = "What is not set is not accepted: an empty secret would open the lock."
  }
}

run "a_certificate_of_yours" {
  command = plan

  variables {
    certificate = { arn = "arn:aws:acm:us-east-1:123456789012:certificate/99999999-2222-3333-4444-555555555555" }
    access_logs = { enabled = false }
  }

  assert {
    condition     = aws_cloudfront_distribution.api[0].viewer_certificate[0].acm_certificate_arn == var.certificate.arn
    error_message = "The given certificate is used."
  }

  assert {
    condition     = length(aws_acm_certificate.edge) == 0 && length(aws_route53_record.validation) == 0 && length(aws_cloudwatch_log_delivery.access) == 0
    error_message = "None is requested beside it, and no log is kept where none is wanted."
  }
}

run "the_default_stage_has_no_path" {
  command = plan

  variables {
    routes = { http = { domain = "p6q7r8s9t0.execute-api.eu-west-1.amazonaws.com", stage = "$default", prefix = "/http" } }
  }

  assert {
    condition = alltrue([
      for origin in nonsensitive(aws_cloudfront_distribution.api[0].origin) : origin.origin_path == null || origin.origin_path == ""
    ])
    error_message = "An HTTP API's default stage is not named in paths."
  }
}

run "refuses_the_default_stage_without_a_prefix" {
  command = plan

  variables {
    routes = { http = { domain = "p6q7r8s9t0.execute-api.eu-west-1.amazonaws.com", stage = "$default" } }
  }

  expect_failures = [var.routes]
}

run "custom_domain" {
  command = plan

  variables {
    entry       = "custom-domain"
    certificate = { arn = "arn:aws:acm:eu-west-1:123456789012:certificate/99999999-2222-3333-4444-555555555555" }
  }

  override_resource {
    target          = aws_apigatewayv2_domain_name.api[0]
    override_during = plan
    values          = { id = "api.example.net" }
  }

  assert {
    condition     = length(aws_cloudfront_distribution.api) == 0 && length(aws_cloudfront_function.route) == 0
    error_message = "API Gateway's own domain needs no distribution."
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.api[0].domain_name_configuration[0].ip_address_type == "dualstack"
    error_message = "It is asked over both families."
  }

  assert {
    condition     = toset([for record in aws_route53_record.address : record.type]) == toset(["A", "AAAA"])
    error_message = "The domain has an address of each family."
  }

  assert {
    condition = { for name, mapping in aws_apigatewayv2_api_mapping.route : name => "${mapping.api_mapping_key} ${mapping.api_id} ${mapping.stage}" } == {
      v2         = "v2 a1b2c3d4e5 v2"
      v3         = "v3 f6g7h8i9j0 v3"
      well-known = ".well-known k1l2m3n4o5 prod"
    }
    error_message = "Each prefix leads to its API's stage."
  }

  assert {
    condition     = output.distribution_id == null && output.viewer_address_header == null
    error_message = "No header is promised that nobody sets."
  }
}

run "refuses_prefixes_within_each_other" {
  command = plan

  variables {
    routes = {
      v2    = { domain = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", stage = "v2" }
      admin = { domain = "f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com", stage = "prod", prefix = "/v2/admin" }
    }
  }

  expect_failures = [var.routes]
}

run "refuses_a_prefix_with_dot_segments" {
  command = plan

  variables {
    routes = { up = { domain = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", stage = "prod", prefix = "/a/.." } }
  }

  expect_failures = [var.routes]
}

run "refuses_wildcards_in_prefixes" {
  command = plan

  variables {
    routes = { all = { domain = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", stage = "prod", prefix = "/v*" } }
  }

  expect_failures = [var.routes]
}

run "refuses_origins_with_a_scheme" {
  command = plan

  variables {
    routes = { v2 = { domain = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", stage = "v2" } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_header_that_cloudfront_refuses" {
  command = plan

  variables {
    viewer_address_header = "x-real-ip"
  }

  expect_failures = [var.viewer_address_header]
}

run "refuses_the_secret_in_the_address_s_place" {
  command = plan

  variables {
    origin_lock_header = "x-viewer-address"
  }

  expect_failures = [var.origin_lock_header]
}

run "refuses_a_short_secret" {
  command = plan

  variables {
    origin_lock = { current = "short" }
  }

  expect_failures = [var.origin_lock]
}
