output "cluster_arn" {
  description = "The cluster that tasks run in."
  value       = local.cluster_arn
}

output "task_definition_arns" {
  description = "The ARN of each task definition, by task: for a run by hand (`aws ecs run-task`)."
  value       = { for name, task in aws_ecs_task_definition.task : name => task.arn }
}

output "log_group" {
  description = "The log group of all tasks; streams begin with the task's name."
  value       = aws_cloudwatch_log_group.tasks.name
}
