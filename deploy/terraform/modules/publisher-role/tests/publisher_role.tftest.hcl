# What the module promises about trust and about choices. Who may do what in the end is a table in tests/deploy.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = {
      arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    }
  }
}

variables {
  name             = "hubdata-publisher"
  bucket           = "hub-data-test"
  distribution_arn = "arn:aws:cloudfront::123456789012:distribution/E2TESTTESTTEST"
  github           = { subjects = ["repo:example/sec-lists:ref:refs/heads/main"] }
}

run "a_workflow" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.publisher.assume_role_policy).Statement[*] == [{
      Sid       = "GitHub"
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = ["repo:example/sec-lists:ref:refs/heads/main"]
        }
      }
    }]
    error_message = "only tokens made for AWS, of the one subject, may take the role"
  }

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com" && aws_iam_openid_connect_provider.github[0].client_id_list == toset(["sts.amazonaws.com"])
    error_message = "the provider must be GitHub's, for tokens made for AWS"
  }

  assert {
    condition     = aws_iam_role.publisher.max_session_duration == 3600
    error_message = "a session must end after an hour unless told otherwise"
  }
}

run "with_the_accounts_provider" {
  command = plan

  variables {
    github = {
      subjects          = ["repo:example@1234/sec-lists@5678:environment:production"]
      oidc_provider_arn = "arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com"
    }
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && output.github_oidc_provider_arn == "arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com"
    error_message = "an account has one provider: it must not be made twice"
  }
}

run "a_worker" {
  command = plan

  variables {
    github         = null
    ecs_account_id = "123456789012"
    kubernetes = {
      oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
      namespace         = "hubdata"
      service_account   = "worker"
    }
  }

  assert {
    condition = { for each in jsondecode(aws_iam_role.publisher.assume_role_policy).Statement : each.Sid => jsonencode(each.Condition) } == {
      ECS = jsonencode({ StringEquals = { "aws:SourceAccount" = "123456789012" } })
      Kubernetes = jsonencode({
        StringEquals = {
          "oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
          "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub" = "system:serviceaccount:hubdata:worker"
        }
      })
    }
    error_message = "tasks of the account, and one service account, may take the role"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "no provider may be made that nobody asked for"
  }
}

run "nobody" {
  command = plan

  variables {
    github = null
  }

  expect_failures = [aws_iam_role.publisher]
}

run "what_cannot_be" {
  command = plan

  variables {
    bucket            = "hub-data-*"
    prefix            = "data/*"
    distribution_arn  = "*"
    github            = { subjects = ["repo:example/*"] }
    ecs_account_id    = "*"
    kms_key_arn       = "*"
    metrics_namespace = "*"
    max_session_s     = 60
    read_only         = true
    prune             = true
    retention         = true
  }

  expect_failures = [
    var.bucket, var.prefix, var.distribution_arn, var.github, var.ecs_account_id, var.kms_key_arn, var.max_session_s, var.metrics_namespace,
    var.prune, var.retention,
  ]
}
