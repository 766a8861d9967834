# Instead of the distribution: API Gateway's own domain, which has answered over both families since 2025. It maps
# prefixes to stages by itself, and knows the viewer; it has no functions, no lock and no default of ours (ADR 0020).

resource "aws_apigatewayv2_domain_name" "api" {
  count = local.custom_domain ? 1 : 0

  domain_name = var.domain_name
  tags        = var.tags

  domain_name_configuration {
    certificate_arn = local.certificate_arn
    endpoint_type   = "REGIONAL"
    ip_address_type = "dualstack"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "route" {
  for_each = { for name, route in local.routes : name => route if local.custom_domain }

  api_id          = split(".", each.value.domain)[0]
  api_mapping_key = trimprefix(each.value.prefix, "/")
  domain_name     = aws_apigatewayv2_domain_name.api[0].id
  stage           = each.value.stage
}
