"""The demonstration: the main job on sample data, with S3 and CloudFront in this very process."""
