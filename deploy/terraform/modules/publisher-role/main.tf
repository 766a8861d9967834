# What a run of hubdata may do, and nothing else: a statement for each need that docs/settings.md names.

locals {
  bucket_arn = "arn:aws:s3:::${var.bucket}"
  objects    = "${local.bucket_arn}/${var.prefix}*"
  records    = "${local.bucket_arn}/${var.prefix}.hubdata/runs/*"
  writes     = !var.read_only

  # Without a prefix there is nothing to keep a listing to.
  listed = var.prefix == "" ? {} : { Condition = { StringLike = { "s3:prefix" = "${var.prefix}*" } } }

  bucket_actions = concat(["s3:ListBucket"], var.history || var.retention ? ["s3:ListBucketVersions"] : [])

  object_actions = concat(
    ["s3:GetObject"],
    local.writes ? ["s3:PutObject"] : [],
    local.writes && var.multipart ? ["s3:AbortMultipartUpload"] : [],
    var.prune ? ["s3:DeleteObject"] : [],
    var.history ? ["s3:GetObjectVersion"] : [],
    var.retention ? ["s3:DeleteObjectVersion"] : [],
  )

  distribution_actions = concat(
    local.writes ? ["cloudfront:CreateInvalidation"] : [],
    local.writes && var.wait ? ["cloudfront:GetInvalidation"] : [],
    var.cache_tags ? ["cloudfront:GetDistributionConfig"] : [],
  )

  statements = concat(
    [
      merge({ Sid = "List", Effect = "Allow", Action = local.bucket_actions, Resource = local.bucket_arn }, local.listed),
      { Sid = "Objects", Effect = "Allow", Action = local.object_actions, Resource = local.objects },
    ],
    # hubdata keeps the records of its last 200 runs, and removes older ones.
    local.writes && !var.prune ? [
      { Sid = "OldRecords", Effect = "Allow", Action = ["s3:DeleteObject"], Resource = local.records }
    ] : [],
    var.distribution_arn != null && length(local.distribution_actions) > 0 ? [
      { Sid = "Distribution", Effect = "Allow", Action = local.distribution_actions, Resource = var.distribution_arn }
    ] : [],
    # This action knows no resources.
    var.metrics_namespace == null ? [] : [
      { Sid = "Metrics", Effect = "Allow", Action = ["cloudwatch:PutMetricData"], Resource = "*", Condition = { StringEquals = { "cloudwatch:namespace" = var.metrics_namespace } } }
    ],
    var.kms_key_arn != null && local.writes ? [
      { Sid = "SigningKey", Effect = "Allow", Action = ["kms:Decrypt"], Resource = var.kms_key_arn }
    ] : [],
  )
}

resource "aws_iam_role" "publisher" {
  name                 = var.name
  description          = "hubdata: ${var.read_only ? "reads" : "publishes to"} ${var.bucket}/${var.prefix}"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = local.trust })
  max_session_duration = var.max_session_s
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = length(local.trust) > 0
      error_message = "nobody could take the role: set github, ecs_account_id or kubernetes."
    }
  }
}

resource "aws_iam_role_policy" "publisher" {
  name   = "hubdata"
  role   = aws_iam_role.publisher.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
