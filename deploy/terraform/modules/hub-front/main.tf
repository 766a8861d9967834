# The git host's raw files of one repository, at a name with an AAAA record and without the host's limits for each viewer.

locals {
  cache_policy_id = coalesce(var.cache_policy_id, one(aws_cloudfront_cache_policy.hub[*].id))
}

# Nothing of a request but its path and encodings counts, and nothing else is sent on: no cookie, query or credential.
resource "aws_cloudfront_cache_policy" "hub" {
  count = var.cache_policy_id == null ? 1 : 0

  name        = "${var.name}-briefly"
  comment     = "Files of a hub: for a short while, whatever the git host says"
  min_ttl     = 0
  default_ttl = var.cache_seconds.default
  max_ttl     = var.cache_seconds.most

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = true
    enable_accept_encoding_brotli = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_function" "path" {
  name    = "${var.name}-path"
  comment = "${var.domain_name}: only files of the refs that are served"
  runtime = "cloudfront-js-2.0"
  publish = var.publish_functions
  code = join("\n", [
    "const REFS = ${jsonencode(var.refs)};",
    file("${path.module}/../../functions/strict-path.js"),
    file("${path.module}/../../functions/hub-path.js"),
  ])
}

resource "aws_cloudfront_distribution" "hub" {
  aliases         = [var.domain_name]
  comment         = "Hub: ${var.repository}"
  enabled         = true
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.price_class
  web_acl_id      = var.web_acl_id
  tags            = var.tags

  # The path begins with the repository, and the function lets no dot segment lead out of it.
  origin {
    origin_id   = "git"
    domain_name = var.origin_domain
    origin_path = "/${var.repository}"

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_keepalive_timeout = 60
      origin_read_timeout      = 30
    }

    dynamic "origin_shield" {
      for_each = var.origin_shield_region == null ? [] : [var.origin_shield_region]

      content {
        enabled              = true
        origin_shield_region = origin_shield.value
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = "git"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.cache_policy_id
    compress                   = true
    response_headers_policy_id = var.response_headers_policy_id
    viewer_protocol_policy     = "redirect-to-https"

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.path.arn
    }
  }

  # CloudFront would keep each of these for 10 seconds or as the git host says; a new file must not be missing for longer.
  dynamic "custom_error_response" {
    for_each = [403, 404, 500, 502, 503, 504]

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = var.cache_seconds.errors
    }
  }

  viewer_certificate {
    acm_certificate_arn      = local.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021" # the newest that provider 5 knows
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}
