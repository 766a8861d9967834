# The distribution before the bucket: both families, HTTP/2 and 3, and nothing private.

locals {
  cors                       = length(var.cors_origins) > 0
  methods                    = local.cors ? ["GET", "HEAD", "OPTIONS"] : ["GET", "HEAD"]
  cache_policy_id            = coalesce(var.cache_policy_id, one(aws_cloudfront_cache_policy.data[*].id))
  response_headers_policy_id = coalesce(var.response_headers_policy_id, one(aws_cloudfront_response_headers_policy.data[*].id))
  page_headers_policy_id     = coalesce(var.response_headers_policy_id, one(aws_cloudfront_response_headers_policy.page[*].id))
}

resource "aws_cloudfront_origin_access_control" "data" {
  name                              = var.name
  description                       = "Signs every request for ${var.name}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# Objects say themselves how long they may be cached: hubdata gives each its Cache-Control.
resource "aws_cloudfront_cache_policy" "data" {
  count = var.cache_policy_id == null ? 1 : 0

  name        = "${var.name}-as-objects-say"
  comment     = "As objects' own Cache-Control says; nothing of the request but its path and encodings counts"
  min_ttl     = 0
  default_ttl = var.default_ttl_s
  max_ttl     = 31536000

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

resource "aws_cloudfront_response_headers_policy" "data" {
  count = var.response_headers_policy_id == null ? 1 : 0

  name    = "${var.name}-security"
  comment = "Data, never a page"

  security_headers_config {
    content_security_policy {
      content_security_policy = "default-src 'none'; frame-ancestors 'none'"
      override                = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
  }

  dynamic "cors_config" {
    for_each = local.cors ? [var.cors_origins] : []

    content {
      access_control_allow_credentials = false
      access_control_max_age_sec       = 86400
      origin_override                  = true

      access_control_allow_headers {
        items = ["*"]
      }

      access_control_allow_methods {
        items = ["GET", "HEAD", "OPTIONS"]
      }

      access_control_allow_origins {
        items = cors_config.value
      }

      access_control_expose_headers {
        items = ["ETag", "Last-Modified"]
      }
    }
  }
}

# hubdata's status page brings a policy of its own, which names its style and its script by digest. Here stands what a
# page cannot say of itself.
resource "aws_cloudfront_response_headers_policy" "page" {
  count = var.response_headers_policy_id == null ? 1 : 0

  name    = "${var.name}-page"
  comment = "The status page"

  security_headers_config {
    content_security_policy {
      content_security_policy = "frame-ancestors 'none'"
      override                = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
  }
}

resource "aws_cloudfront_function" "not_found" {
  name    = "${var.name}-not-found"
  comment = "404 for what is private in ${var.name}"
  runtime = "cloudfront-js-2.0"
  publish = var.publish_functions
  code    = file("${path.module}/functions/not-found.js")
}

resource "aws_cloudfront_distribution" "data" {
  aliases         = [var.domain_name]
  comment         = "Security data: ${var.domain_name}"
  enabled         = true
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.price_class
  web_acl_id      = var.web_acl_id
  tags            = var.tags

  default_root_object = "index.html" # the status page

  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.data.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.data.id
  }

  default_cache_behavior {
    target_origin_id           = "bucket"
    allowed_methods            = local.methods
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.cache_policy_id
    compress                   = true
    response_headers_policy_id = local.response_headers_policy_id
    viewer_protocol_policy     = "redirect-to-https"
  }

  # The bucket's policy denies it too: this keeps such requests from being made at all.
  ordered_cache_behavior {
    path_pattern               = local.private_keys
    target_origin_id           = "bucket"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.cache_policy_id
    compress                   = false
    response_headers_policy_id = local.response_headers_policy_id
    viewer_protocol_policy     = "redirect-to-https"

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.not_found.arn
    }
  }

  # The status page, under each of its names.
  dynamic "ordered_cache_behavior" {
    for_each = ["/", "*/index.html"]

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "bucket"
      allowed_methods            = ["GET", "HEAD"]
      cached_methods             = ["GET", "HEAD"]
      cache_policy_id            = local.cache_policy_id
      compress                   = true
      response_headers_policy_id = local.page_headers_policy_id
      viewer_protocol_policy     = "redirect-to-https"
    }
  }

  # S3 answers 403 for a missing object to whoever may not list the bucket.
  custom_error_response {
    error_code            = 403
    response_code         = 404
    response_page_path    = "/${local.missing_key}"
    error_caching_min_ttl = var.error_ttl_s
  }

  dynamic "custom_error_response" {
    for_each = [500, 502, 503, 504]

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 5
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.data.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021" # the newest that provider 5 knows
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}
