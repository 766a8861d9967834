# Containers that run and end, on Fargate, when EventBridge Scheduler says so. Two runs at once do no harm: hubdata's
# lease keeps them apart.

locals {
  cluster_arn = coalesce(var.cluster_arn, one(aws_ecs_cluster.own[*].arn))
  scheduled   = { for name, task in var.tasks : name => task if task.schedule != null }
  spool       = "/var/lib/hubdata"
}

data "aws_region" "here" {}

resource "aws_ecs_cluster" "own" {
  count = var.cluster_arn == null ? 1 : 0

  name = var.name
  tags = var.tags
}

resource "aws_cloudwatch_log_group" "tasks" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_ecs_task_definition" "task" {
  for_each = var.tasks

  family                   = "${var.name}-${each.key}"
  cpu                      = var.size.cpu
  memory                   = var.size.memory_mib
  execution_role_arn       = aws_iam_role.execution.arn
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  task_role_arn            = each.value.role_arn
  tags                     = var.tags

  runtime_platform {
    cpu_architecture        = var.size.architecture
    operating_system_family = "LINUX"
  }

  # Downloads are staged here; nothing of it must outlive a run.
  volume {
    name = "spool"
  }

  container_definitions = jsonencode([merge(
    {
      name                   = "hubdata"
      image                  = var.image
      essential              = true
      command                = each.value.command
      readonlyRootFilesystem = true
      user                   = "10001:10001"
      stopTimeout            = 30
      environment            = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
      secrets                = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
      mountPoints            = [{ sourceVolume = "spool", containerPath = local.spool, readOnly = false }]
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.tasks.name
          awslogs-region        = data.aws_region.here.name
          awslogs-stream-prefix = each.key
        }
      }
    },
    each.value.entry_point == null ? {} : { entryPoint = each.value.entry_point },
  )])
}

resource "aws_scheduler_schedule" "task" {
  for_each = local.scheduled

  name                         = "${var.name}-${each.key}"
  description                  = "hubdata: ${each.key}"
  schedule_expression          = each.value.schedule
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 5
  }

  target {
    arn      = local.cluster_arn
    role_arn = aws_iam_role.scheduler.arn

    ecs_parameters {
      launch_type         = "FARGATE"
      task_count          = 1
      task_definition_arn = aws_ecs_task_definition.task[each.key].arn

      network_configuration {
        assign_public_ip = var.assign_public_ip
        security_groups  = var.security_groups
        subnets          = var.subnets
      }
    }

    retry_policy {
      maximum_event_age_in_seconds = 900
      maximum_retry_attempts       = 2
    }
  }
}
