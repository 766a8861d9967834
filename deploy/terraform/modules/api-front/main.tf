# One domain before several APIs: a distribution whose origins and behaviours are the routes, and nothing else.

locals {
  cloudfront    = var.entry == "cloudfront"
  custom_domain = var.entry == "custom-domain"

  # Managed policies of CloudFront: the same ids in every account.
  caching_disabled              = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  all_viewer_except_host_header = "b689b0a8-53d0-40ab-baf2-68738e2966ac" # API Gateway answers 403 to another Host

  # A route without a prefix lies at its stage's name, which the API expects in the path. Any other prefix is for users
  # only: the function takes it off, and the origin's path puts the stage there.
  routes = {
    for name, route in var.routes : name => {
      domain      = route.domain
      stage       = route.stage
      prefix      = coalesce(route.prefix, "/${route.stage}")
      strip       = coalesce(route.prefix, "/${route.stage}") != "/${route.stage}"
      origin_path = coalesce(route.prefix, "/${route.stage}") == "/${route.stage}" || route.stage == "$default" ? "" : "/${route.stage}"
    }
  }
  edge_routes = { for name, route in local.routes : name => route if local.cloudfront }

  strict_path = file("${path.module}/../../functions/strict-path.js")
}

resource "aws_cloudfront_function" "route" {
  for_each = local.edge_routes

  name    = "${var.name}-${each.key}"
  comment = "${var.domain_name}${each.value.prefix}: path, prefix, viewer's address"
  runtime = "cloudfront-js-2.0"
  publish = var.publish_functions
  code = join("\n", [
    "const ROUTE = ${jsonencode({
      address = var.viewer_address_header
      lock    = var.origin_lock_header
      prefix  = each.value.prefix
      strip   = each.value.strip
    })};",
    local.strict_path,
    file("${path.module}/../../functions/api-route.js"),
  ])
}

resource "aws_cloudfront_function" "default" {
  count = local.cloudfront ? 1 : 0

  name    = "${var.name}--default" # no route's name begins with a hyphen
  comment = "${var.domain_name}: 404 for what belongs to no route"
  runtime = "cloudfront-js-2.0"
  publish = var.publish_functions
  code    = join("\n", [local.strict_path, file("${path.module}/../../functions/api-default.js")])
}

resource "aws_cloudfront_distribution" "api" {
  count = local.cloudfront ? 1 : 0

  aliases         = [var.domain_name]
  comment         = "APIs: ${var.domain_name}"
  enabled         = true
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.price_class
  web_acl_id      = var.web_acl_id
  tags            = var.tags

  dynamic "origin" {
    for_each = local.edge_routes

    content {
      origin_id   = origin.key
      domain_name = origin.value.domain
      origin_path = origin.value.origin_path

      # Anybody may call the API's own host. This shows it who came through here, so that it may believe the address.
      custom_header {
        name  = var.origin_lock_header
        value = var.origin_lock.current
      }

      custom_origin_config {
        http_port                = 80
        https_port               = 443
        origin_protocol_policy   = "https-only"
        origin_ssl_protocols     = ["TLSv1.2"]
        origin_keepalive_timeout = 60
        origin_read_timeout      = 30 # API Gateway gives up after 29
      }
    }
  }

  # A behaviour must have an origin. This one has no address, and nobody else can register it: should the function before
  # it ever be lost, requests still go nowhere, and without the secret.
  origin {
    origin_id   = "-nowhere"
    domain_name = "nowhere.${var.domain_name}"

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  default_cache_behavior {
    target_origin_id           = "-nowhere"
    allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.caching_disabled
    response_headers_policy_id = var.response_headers_policy_id
    viewer_protocol_policy     = "redirect-to-https"

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.default[0].arn
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.edge_routes

    content {
      path_pattern               = "${ordered_cache_behavior.value.prefix}/*"
      target_origin_id           = ordered_cache_behavior.key
      allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
      cached_methods             = ["GET", "HEAD"]
      cache_policy_id            = local.caching_disabled
      origin_request_policy_id   = local.all_viewer_except_host_header
      response_headers_policy_id = var.response_headers_policy_id
      compress                   = true
      viewer_protocol_policy     = "redirect-to-https"

      function_association {
        event_type   = "viewer-request"
        function_arn = aws_cloudfront_function.route[ordered_cache_behavior.key].arn
      }
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
