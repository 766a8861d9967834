# A private bucket that keeps what was replaced for a while, and that only its own distribution may read.

locals {
  bucket_arn = "arn:aws:s3:::${var.name}"

  missing_key = "404.txt"

  # `*` so that it holds below any prefix as well.
  private_keys = "*.hubdata/*"
}

resource "aws_s3_bucket" "data" {
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_ownership_controls" "data" {
  bucket = aws_s3_bucket.data.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "data" {
  bucket                  = aws_s3_bucket.data.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id

  versioning_configuration {
    status = "Enabled"
  }
}

# S3's own key: under a key of KMS an ETag is no MD5, and unchanged files are recognised with more requests.
resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "data" {
  bucket = aws_s3_bucket.data.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.keep_versions_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "broken-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.data]
}

resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ReadByTheDistribution"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${local.bucket_arn}/*"
        Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.data.arn } }
      },
      {
        Sid       = "NothingPrivateByAnyDistribution"
        Effect    = "Deny"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:*"
        Resource  = "${local.bucket_arn}/${local.private_keys}"
      },
      {
        Sid       = "NothingWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.data]
}

# What stands in for S3's 403 where an object is missing. It belongs to no job, so no run touches it.
resource "aws_s3_object" "missing" {
  bucket        = aws_s3_bucket.data.id
  key           = local.missing_key
  content       = "Not found\n"
  content_type  = "text/plain; charset=utf-8"
  cache_control = "public, max-age=60"

  depends_on = [aws_s3_bucket_ownership_controls.data, aws_s3_bucket_versioning.data]
}
