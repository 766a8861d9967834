output "ages_command" {
  description = "What measures the ages: a command for hubdata's image in place of its entry point. With another command after it (`hubdata sync --once`), that is run first and its success told."
  value       = ["python", "-c", file("${path.module}/ages.py"), var.bucket, var.prefix, var.namespace]
}

output "ages_role_arn" {
  description = "The ARN of the role that measures; null where none was asked for."
  value       = one(aws_iam_role.ages[*].arn)
}

output "alarms" {
  description = "The names of all alarms."
  value       = sort(concat([for alarm in aws_cloudwatch_metric_alarm.errors : alarm.alarm_name], [for alarm in aws_cloudwatch_metric_alarm.latency : alarm.alarm_name], [for alarm in aws_cloudwatch_metric_alarm.age : alarm.alarm_name]))
}
