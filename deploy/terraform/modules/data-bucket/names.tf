# The host name: a certificate where CloudFront looks for it, and an address of each family.

resource "aws_acm_certificate" "data" {
  provider = aws.us_east_1

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
      for option in aws_acm_certificate.data.domain_validation_options : option if option.domain_name == name
    ])
  }

  zone_id         = var.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "data" {
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.data.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "address" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.zone_id
  name    = var.domain_name
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.data.domain_name
    zone_id                = aws_cloudfront_distribution.data.hosted_zone_id
    evaluate_target_health = false
  }
}
