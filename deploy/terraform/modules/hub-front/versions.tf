terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
      # CloudFront takes its certificate and its log deliveries from us-east-1 alone.
      configuration_aliases = [aws.us_east_1]
    }
  }
}
