"""Unwrap a signing key with AWS KMS, so that what lies on disk or in a variable is no secret by itself.

What is wrapped is a key file of minisign's (`minisign -G -W`), encrypted by this very command, whose output is the
text that hubdata is given:

    aws kms encrypt --key-id KEY --plaintext fileb://hubdata.key --query CiphertextBlob --output text

KMS is asked to decrypt with the key that the settings name and no other. botocore is imported here alone.
"""

import base64
import binascii
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hubdata.errors import ConfigError, TargetError
from hubdata.signing.keys import KmsKey
from hubdata.transfer.aws import AwsClient, Call, Settings, Trouble, translated
from hubdata.transfer.secrets import Secret

_MAX_CIPHERTEXT = 6144  # the limit of KMS's Decrypt


def unwrapped(text: Secret, key: KmsKey, place: str) -> Secret:
    """Return the text of the key file that `text`, the ciphertext in base64, holds.

    Raises ConfigError when it is no ciphertext, TargetError when KMS does not answer or refuses.
    """
    try:
        blob = base64.b64decode(text.reveal(), validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not 0 < len(blob) <= _MAX_CIPHERTEXT:
        raise ConfigError(
            f"{place}: expected a key wrapped by KMS, in base64, found something else",
            advice="wrap it as docs/signing.md says, or take `kms_key` out of [sign]",
        )
    settings = Settings("kms", key.region, key.endpoint_url, connections=1)
    call = Call("Decrypt", f"key {key.id}", "kms:Decrypt", key.id, settings)

    def failed(trouble: Trouble) -> TargetError:
        return TargetError(
            f"the signing key could not be unwrapped: {trouble.message}",
            advice=trouble.advice,
            retryable=trouble.retryable,
        )

    with translated(failed, call), _unlogged():
        answer = AwsClient(settings).build().decrypt(CiphertextBlob=blob, KeyId=key.id)
    try:
        return Secret(answer["Plaintext"].decode())
    except UnicodeDecodeError:
        raise ConfigError(
            f"{place}: what KMS has decrypted is no text", advice="wrap it as docs/signing.md says"
        ) from None


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what this thread is answered out of the log: botocore shows every answer at DEBUG, this one is the key."""
    mine = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    answers = logging.getLogger("botocore.parsers")
    answers.addFilter(others)
    try:
        yield
    finally:
        answers.removeFilter(others)
