# What the module promises, without an account.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_region" {
    defaults = {
      name = "eu-west-1"
    }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = {
      arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/hubdata"
    }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = {
      arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/hubdata-sync:1"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/hubdata"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/hubdata-mock"
    }
  }
}

variables {
  name               = "hubdata"
  image              = "registry.example.net/hubdata@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  ecr_repository_arn = "arn:aws:ecr:eu-west-1:123456789012:repository/hubdata"
  subnets            = ["subnet-1"]
  security_groups    = ["sg-1"]
  environment        = { HUBDATA_TARGETS__AWS__BUCKET = "hub-data-test" }
  secrets = {
    MAXMIND_LICENSE_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:maxmind-AbCdEf:license_key::"
    MAXMIND_ACCOUNT_ID  = "arn:aws:ssm:eu-west-1:123456789012:parameter/maxmind/account"
  }
  tasks = {
    sync   = { schedule = "rate(1 hour)", role_arn = "arn:aws:iam::123456789012:role/hubdata-publisher" }
    ages   = { schedule = "rate(1 hour)", role_arn = "arn:aws:iam::123456789012:role/hubdata-ages", entry_point = ["python"], command = ["-c", "pass"] }
    byhand = { role_arn = "arn:aws:iam::123456789012:role/hubdata-publisher", command = ["geoip", "refresh"] }
  }
}

run "as_it_comes" {
  command = plan

  assert {
    condition     = keys(aws_scheduler_schedule.task) == ["ages", "sync"] && aws_scheduler_schedule.task["sync"].schedule_expression == "rate(1 hour)" && aws_scheduler_schedule.task["sync"].schedule_expression_timezone == "UTC"
    error_message = "tasks with a schedule must run by it, in UTC, and others never by themselves"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].command == ["sync", "--once"] && !can(jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].entryPoint)
    error_message = "a task runs one publication, by the image's own entry point, unless told otherwise"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.task["ages"].container_definitions)[0].entryPoint == ["python"]
    error_message = "another program must run where one was asked for"
  }

  assert {
    condition = alltrue([
      jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].readonlyRootFilesystem,
      jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].user == "10001:10001",
      jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"],
      jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].image == var.image,
      jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].mountPoints[0].containerPath == "/var/lib/hubdata",
    ])
    error_message = "the container must be the reviewed image, unprivileged, and write nowhere but to its spool"
  }

  assert {
    condition = alltrue([
      jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].environment == [{ name = "HUBDATA_TARGETS__AWS__BUCKET", value = "hub-data-test" }],
      [for each in jsondecode(aws_ecs_task_definition.task["sync"].container_definitions)[0].secrets : each.name] == ["MAXMIND_ACCOUNT_ID", "MAXMIND_LICENSE_KEY"],
    ])
    error_message = "secrets must be named, never written into a task definition"
  }

  assert {
    condition     = aws_ecs_task_definition.task["sync"].task_role_arn == "arn:aws:iam::123456789012:role/hubdata-publisher" && aws_ecs_task_definition.task["ages"].task_role_arn == "arn:aws:iam::123456789012:role/hubdata-ages"
    error_message = "each task must run as its own role"
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.secrets[0].policy).Statement) == jsonencode([
      { Action = "secretsmanager:GetSecretValue", Effect = "Allow", Resource = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:maxmind-AbCdEf"], Sid = "Secrets" },
      { Action = "ssm:GetParameters", Effect = "Allow", Resource = ["arn:aws:ssm:eu-west-1:123456789012:parameter/maxmind/account"], Sid = "Parameters" },
    ])
    error_message = "who starts containers may read the named secrets, and no other"
  }

  assert {
    condition = { for each in jsondecode(aws_iam_role_policy.execution.policy).Statement : each.Sid => jsonencode([each.Action, each.Resource]) } == {
      Logs     = jsonencode([["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/hubdata:*"])
      Image    = jsonencode([["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "arn:aws:ecr:eu-west-1:123456789012:repository/hubdata"])
      Registry = jsonencode([["ecr:GetAuthorizationToken"], "*"])
    }
    error_message = "who starts containers may write their logs and pull their image, and nothing else"
  }

  assert {
    condition = { for each in jsondecode(aws_iam_role_policy.scheduler.policy).Statement : each.Sid => jsonencode([each.Action, each.Condition]) } == {
      Run       = jsonencode(["ecs:RunTask", { StringEquals = { "ecs:cluster" = "arn:aws:ecs:eu-west-1:123456789012:cluster/hubdata" } }])
      PassRoles = jsonencode(["iam:PassRole", { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }])
    }
    error_message = "the scheduler may run these tasks in the one cluster, and hand their roles to ECS alone"
  }

  assert {
    condition     = !contains(flatten([for each in jsondecode(aws_iam_role_policy.scheduler.policy).Statement : each.Resource]), "*")
    error_message = "the scheduler's policy must name its resources"
  }

  assert {
    condition     = one(one(aws_scheduler_schedule.task["sync"].target[0].ecs_parameters).network_configuration).assign_public_ip == false
    error_message = "a task must have no public address unless one was asked for"
  }
}

run "what_cannot_be" {
  command = plan

  variables {
    image              = "registry.example.net/hubdata:latest"
    ecr_repository_arn = "*"
    environment        = { MAXMIND_LICENSE_KEY = "x" }
    secrets            = { A = "arn:aws:ssm:eu-west-1:123456789012:parameter/*" }
    subnets            = []
    security_groups    = []
    tasks              = { sync = { schedule = "hourly", role_arn = "x" } }
    size               = { architecture = "amd64" }
  }

  expect_failures = [var.image, var.ecr_repository_arn, var.environment, var.secrets, var.subnets, var.security_groups, var.tasks, var.size]
}
