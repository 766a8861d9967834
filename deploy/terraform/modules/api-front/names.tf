# The host name: a certificate where it is looked for, and an address of each family.

locals {
  own_certificate = var.certificate == null
  certificate_arn = local.own_certificate ? one(concat(
    aws_acm_certificate_validation.edge[*].certificate_arn,
    aws_acm_certificate_validation.regional[*].certificate_arn,
  )) : var.certificate.arn

  validation_options = flatten(concat(
    [for certificate in aws_acm_certificate.edge : tolist(certificate.domain_validation_options)],
    [for certificate in aws_acm_certificate.regional : tolist(certificate.domain_validation_options)],
  ))

  alias = local.cloudfront ? {
    name    = aws_cloudfront_distribution.api[0].domain_name
    zone_id = aws_cloudfront_distribution.api[0].hosted_zone_id
    } : {
    name    = aws_apigatewayv2_domain_name.api[0].domain_name_configuration[0].target_domain_name
    zone_id = aws_apigatewayv2_domain_name.api[0].domain_name_configuration[0].hosted_zone_id
  }
}

resource "aws_acm_certificate" "edge" {
  provider = aws.us_east_1
  count    = local.own_certificate && local.cloudfront ? 1 : 0

  domain_name       = var.domain_name
  validation_method = "DNS"
  tags              = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "regional" {
  count = local.own_certificate && local.custom_domain ? 1 : 0

  domain_name       = var.domain_name
  validation_method = "DNS"
  tags              = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = {
    for name in [var.domain_name] : name => one([
      for option in local.validation_options : option if option.domain_name == name
    ]) if local.own_certificate
  }

  zone_id         = var.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "edge" {
  provider = aws.us_east_1
  count    = length(aws_acm_certificate.edge)

  certificate_arn         = aws_acm_certificate.edge[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_acm_certificate_validation" "regional" {
  count = length(aws_acm_certificate.regional)

  certificate_arn         = aws_acm_certificate.regional[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "address" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.zone_id
  name    = var.domain_name
  type    = each.key

  alias {
    name                   = local.alias.name
    zone_id                = local.alias.zone_id
    evaluate_target_health = false
  }
}
