# What the module promises, without an account: resources as planned, with what AWS would compute stood in for.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = {
      id                          = "hub-data-test"
      arn                         = "arn:aws:s3:::hub-data-test"
      bucket_regional_domain_name = "hub-data-test.s3.eu-west-1.amazonaws.com"
    }
  }

  mock_resource "aws_cloudfront_distribution" {
    defaults = {
      id             = "E2TESTTESTTEST"
      arn            = "arn:aws:cloudfront::123456789012:distribution/E2TESTTESTTEST"
      domain_name    = "d111111abcdef8.cloudfront.net"
      hosted_zone_id = "Z2FDTNDATAQYW2"
    }
  }

  mock_resource "aws_cloudfront_function" {
    defaults = {
      arn = "arn:aws:cloudfront::123456789012:function/hub-data-test-not-found"
    }
  }

  mock_resource "aws_cloudfront_origin_access_control" {
    defaults = {
      id = "E2OAC"
    }
  }

  mock_resource "aws_cloudfront_cache_policy" {
    defaults = {
      id = "11111111-1111-1111-1111-111111111111"
    }
  }

  mock_resource "aws_cloudfront_response_headers_policy" {
    defaults = {
      id = "22222222-2222-2222-2222-222222222222"
    }
  }

  override_resource {
    target = aws_cloudfront_response_headers_policy.page
    values = {
      id = "33333333-3333-3333-3333-333333333333"
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
        domain_name           = "data.example.net"
        resource_record_name  = "_x.data.example.net."
        resource_record_type  = "CNAME"
        resource_record_value = "_y.acm-validations.aws."
      }]
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/cloudfront/hub-data-test"
    }
  }

  mock_resource "aws_cloudwatch_log_delivery_destination" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:123456789012:delivery-destination:hub-data-test-access"
    }
  }
}

variables {
  name        = "hub-data-test"
  domain_name = "data.example.net"
  zone_id     = "Z0123456789ABC"
}

run "as_it_comes" {
  command = plan

  assert {
    condition     = aws_s3_bucket_ownership_controls.data.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "objects must belong to the bucket's owner, without ACLs"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.data.block_public_acls,
      aws_s3_bucket_public_access_block.data.block_public_policy,
      aws_s3_bucket_public_access_block.data.ignore_public_acls,
      aws_s3_bucket_public_access_block.data.restrict_public_buckets,
    ])
    error_message = "the bucket must block public access in all four ways"
  }

  assert {
    condition     = aws_s3_bucket_versioning.data.versioning_configuration[0].status == "Enabled"
    error_message = "versions must be kept: rollback reads them"
  }

  assert {
    condition     = tolist(aws_s3_bucket_server_side_encryption_configuration.data.rule)[0].apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "objects must be encrypted with S3's own key"
  }

  assert {
    condition     = aws_s3_bucket.data.force_destroy == false
    error_message = "a bucket with data in it must not be destroyed unless asked for"
  }

  assert {
    condition = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.data.rule : rule.status == "Enabled"]) && anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.data.rule : try(rule.noncurrent_version_expiration[0].noncurrent_days <= 30, false)
      ]) && anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.data.rule : try(rule.abort_incomplete_multipart_upload[0].days_after_initiation <= 7, false)
    ])
    error_message = "old versions must expire within 30 days, broken uploads within 7"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_origin_access_control.data.signing_behavior == "always",
      aws_cloudfront_origin_access_control.data.signing_protocol == "sigv4",
      one(aws_cloudfront_distribution.data.origin).origin_access_control_id == aws_cloudfront_origin_access_control.data.id,
    ])
    error_message = "the distribution must sign every request to the bucket"
  }

  assert {
    condition     = one(aws_cloudfront_distribution.data.origin).domain_name == "hub-data-test.s3.eu-west-1.amazonaws.com"
    error_message = "the origin must be the bucket in its own region: the global name redirects while it is new"
  }

  assert {
    condition     = aws_cloudfront_distribution.data.enabled && aws_cloudfront_distribution.data.is_ipv6_enabled && aws_cloudfront_distribution.data.http_version == "http2and3"
    error_message = "the distribution must be on, and serve IPv6, HTTP/2 and HTTP/3"
  }

  assert {
    condition     = aws_cloudfront_distribution.data.aliases == toset(["data.example.net"])
    error_message = "the distribution must answer to its host name"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_distribution.data.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021",
      aws_cloudfront_distribution.data.viewer_certificate[0].ssl_support_method == "sni-only",
      aws_cloudfront_distribution.data.default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https",
    ])
    error_message = "viewers must use TLS 1.2 or newer"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_distribution.data.default_cache_behavior[0].allowed_methods == toset(["GET", "HEAD"]),
      aws_cloudfront_distribution.data.default_cache_behavior[0].compress,
      aws_cloudfront_distribution.data.default_cache_behavior[0].cache_policy_id == aws_cloudfront_cache_policy.data[0].id,
      aws_cloudfront_distribution.data.default_cache_behavior[0].response_headers_policy_id == aws_cloudfront_response_headers_policy.data[0].id,
    ])
    error_message = "readers must only read, compressed, by the module's own policies"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_cache_policy.data[0].min_ttl == 0,
      aws_cloudfront_cache_policy.data[0].default_ttl == 60,
      aws_cloudfront_cache_policy.data[0].max_ttl == 31536000,
      aws_cloudfront_cache_policy.data[0].parameters_in_cache_key_and_forwarded_to_origin[0].enable_accept_encoding_gzip,
      aws_cloudfront_cache_policy.data[0].parameters_in_cache_key_and_forwarded_to_origin[0].query_strings_config[0].query_string_behavior == "none",
      aws_cloudfront_cache_policy.data[0].parameters_in_cache_key_and_forwarded_to_origin[0].cookies_config[0].cookie_behavior == "none",
      aws_cloudfront_cache_policy.data[0].parameters_in_cache_key_and_forwarded_to_origin[0].headers_config[0].header_behavior == "none",
    ])
    error_message = "an object's own Cache-Control must decide, and nothing of a request may split the cache but its encodings"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_response_headers_policy.data[0].security_headers_config[0].strict_transport_security[0].access_control_max_age_sec >= 31536000,
      aws_cloudfront_response_headers_policy.data[0].security_headers_config[0].content_type_options[0].override,
      aws_cloudfront_response_headers_policy.data[0].security_headers_config[0].frame_options[0].frame_option == "DENY",
      aws_cloudfront_response_headers_policy.data[0].security_headers_config[0].referrer_policy[0].referrer_policy == "no-referrer",
      strcontains(aws_cloudfront_response_headers_policy.data[0].security_headers_config[0].content_security_policy[0].content_security_policy, "default-src 'none'"),
      length(aws_cloudfront_response_headers_policy.data[0].cors_config) == 0,
    ])
    error_message = "answers must carry the security headers, and no CORS header that nobody asked for"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_distribution.data.default_root_object == "index.html",
      [for each in slice(aws_cloudfront_distribution.data.ordered_cache_behavior, 1, 3) : each.path_pattern] == ["/", "*/index.html"],
      alltrue([
        for each in slice(aws_cloudfront_distribution.data.ordered_cache_behavior, 1, 3) : alltrue([
          each.response_headers_policy_id == aws_cloudfront_response_headers_policy.page[0].id,
          each.cache_policy_id == aws_cloudfront_cache_policy.data[0].id,
          each.viewer_protocol_policy == "redirect-to-https",
          each.allowed_methods == toset(["GET", "HEAD"]),
        ])
      ]),
      aws_cloudfront_response_headers_policy.page[0].security_headers_config[0].content_security_policy[0].content_security_policy == "frame-ancestors 'none'",
      aws_cloudfront_response_headers_policy.page[0].security_headers_config[0].content_type_options[0].override,
      aws_cloudfront_response_headers_policy.page[0].security_headers_config[0].strict_transport_security[0].access_control_max_age_sec >= 31536000,
    ])
    error_message = "the status page must be at the root, under the policy that it brings itself"
  }

  assert {
    condition = alltrue([
      aws_cloudfront_distribution.data.ordered_cache_behavior[0].path_pattern == "*.hubdata/*",
      one(aws_cloudfront_distribution.data.ordered_cache_behavior[0].function_association).event_type == "viewer-request",
      one(aws_cloudfront_distribution.data.ordered_cache_behavior[0].function_association).function_arn == aws_cloudfront_function.not_found.arn,
      aws_cloudfront_function.not_found.publish,
      aws_cloudfront_function.not_found.runtime == "cloudfront-js-2.0",
      strcontains(aws_cloudfront_function.not_found.code, "statusCode: 404"),
    ])
    error_message = "what is private must be answered with 404 before the bucket is asked"
  }

  assert {
    condition = one([
      for each in aws_cloudfront_distribution.data.custom_error_response : each if each.error_code == 403
      ]) == {
      error_code            = 403
      response_code         = 404
      response_page_path    = "/${aws_s3_object.missing.key}"
      error_caching_min_ttl = 10
    }
    error_message = "a missing object must be a 404, briefly cached, with a page that exists"
  }

  assert {
    condition     = alltrue([for each in aws_cloudfront_distribution.data.custom_error_response : each.error_caching_min_ttl <= 10])
    error_message = "no error may be cached for long"
  }

  assert {
    condition = keys(aws_route53_record.address) == ["A", "AAAA"] && alltrue([
      for type, record in aws_route53_record.address : alltrue([
        record.type == type,
        record.name == "data.example.net",
        record.alias[0].name == aws_cloudfront_distribution.data.domain_name,
        record.alias[0].zone_id == aws_cloudfront_distribution.data.hosted_zone_id,
      ])
    ])
    error_message = "the host name must have an address of each family, and both must be the distribution's"
  }

  assert {
    condition = alltrue([
      aws_acm_certificate.data.domain_name == "data.example.net",
      aws_acm_certificate.data.validation_method == "DNS",
      aws_acm_certificate_validation.data.certificate_arn == aws_acm_certificate.data.arn,
      aws_cloudfront_distribution.data.viewer_certificate[0].acm_certificate_arn == aws_acm_certificate.data.arn,
      aws_route53_record.validation["data.example.net"].name == "_x.data.example.net.",
      startswith(aws_acm_certificate.data.arn, "arn:aws:acm:us-east-1:"),
    ])
    error_message = "the certificate must be the host name's, of us-east-1, proven by DNS before it is used"
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_log_delivery_source.access[0].resource_arn == aws_cloudfront_distribution.data.arn,
      aws_cloudwatch_log_delivery_source.access[0].log_type == "ACCESS_LOGS",
      aws_cloudwatch_log_delivery.access[0].delivery_source_name == aws_cloudwatch_log_delivery_source.access[0].name,
      aws_cloudwatch_log_delivery.access[0].delivery_destination_arn == aws_cloudwatch_log_delivery_destination.access[0].arn,
      aws_cloudwatch_log_group.access[0].retention_in_days == 30,
      startswith(aws_cloudwatch_log_group.access[0].arn, "arn:aws:logs:us-east-1:"),
    ])
    error_message = "requests must be logged from us-east-1, and addresses not kept beyond 30 days"
  }

  assert {
    condition     = { for each in jsondecode(aws_s3_bucket_policy.data.policy).Statement : each.Sid => each.Effect } == { ReadByTheDistribution = "Allow", NothingPrivateByAnyDistribution = "Deny", NothingWithoutTLS = "Deny" }
    error_message = "the bucket's policy must allow the distribution to read, and nothing else"
  }
}

run "with_choices" {
  command = plan

  variables {
    cors_origins       = ["https://app.example.net"]
    keep_versions_days = 7
    force_destroy      = true
    access_logs        = { destination_arn = "arn:aws:s3:::logs-of-ours" }
    cache_policy_id    = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  }

  assert {
    condition     = one(aws_cloudfront_response_headers_policy.data[0].cors_config[0].access_control_allow_origins).items == toset(["https://app.example.net"])
    error_message = "CORS must be for those who asked, where it was asked for"
  }

  assert {
    condition     = contains(aws_cloudfront_distribution.data.default_cache_behavior[0].allowed_methods, "OPTIONS")
    error_message = "with CORS, browsers ask with OPTIONS first"
  }

  assert {
    condition = alltrue([
      length(aws_cloudwatch_log_group.access) == 0,
      aws_cloudwatch_log_delivery_destination.access[0].delivery_destination_configuration[0].destination_resource_arn == "arn:aws:s3:::logs-of-ours",
    ])
    error_message = "logs must go where they were sent"
  }

  assert {
    condition = alltrue([
      length(aws_cloudfront_cache_policy.data) == 0,
      aws_cloudfront_distribution.data.default_cache_behavior[0].cache_policy_id == "658327ea-f89d-4fab-a63d-7e88639e58f6",
    ])
    error_message = "choices must be kept to"
  }
}

run "what_cannot_be" {
  command = plan

  variables {
    name               = "Hub.Data"
    domain_name        = "data.example.net."
    zone_id            = "example.net"
    keep_versions_days = 31
    cors_origins       = ["http://app.example.net"]
    error_ttl_s        = 3600
    default_ttl_s      = -1
    price_class        = "PriceClass_300"
    access_logs        = { retention_days = 400 }
  }

  expect_failures = [
    var.name, var.domain_name, var.zone_id, var.keep_versions_days, var.cors_origins, var.error_ttl_s, var.default_ttl_s,
    var.price_class, var.access_logs,
  ]
}
