terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
      # CloudFront takes its certificate and its log deliveries from us-east-1 alone. The plain `aws` is the region of
      # the APIs; only their own custom domain (`entry = "custom-domain"`) lives there.
      configuration_aliases = [aws.us_east_1]
    }
  }
}
