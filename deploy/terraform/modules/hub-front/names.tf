# The host name: a certificate where CloudFront looks for it, and an address of each family.

locals {
  own_certificate = var.certificate == null
  certificate_arn = local.own_certificate ? one(aws_acm_certificate_validation.hub[*].certificate_arn) : var.certificate.arn
}

resource "aws_acm_certificate" "hub" {
  provider = aws.us_east_1
  count    = local.own_certificate ? 1 : 0

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
      for option in aws_acm_certificate.hub[0].domain_validation_options : option if option.domain_name == name
    ]) if local.own_certificate
  }

  zone_id         = var.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "hub" {
  provider = aws.us_east_1
  count    = local.own_certificate ? 1 : 0

  certificate_arn         = aws_acm_certificate.hub[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "address" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.zone_id
  name    = var.domain_name
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.hub.domain_name
    zone_id                = aws_cloudfront_distribution.hub.hosted_zone_id
    evaluate_target_health = false
  }
}
