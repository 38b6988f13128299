"""Requests and answers of RFC 3161: making the one, checking the other against certificates that are given.

Owns: what makes a token good. Must not know: the network, or what the bytes are. ASN.1 and signatures are those of
rfc3161-client, of Trail of Bits, and of OpenSSL below it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from adapters.edge.strangers import said

MOST_TOKEN_BYTES = 64 << 10


class TimestampError(Exception):
    """A token that shows nothing, or an authority that gives none. The text is one line."""


def make_request(data: bytes) -> Any:
    """The request for a token over the SHA-512 of the data, with a number that the answer must repeat."""
    return TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA512).build()


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file. Raises TimestampError."""
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise TimestampError("this is no PEM file of certificates") from None


def check_answer(answer: bytes, request: Any) -> None:
    """Raise TimestampError unless it grants what was asked for. Who gave it is not checked."""
    found = _decoded(answer)
    if PKIStatus(found.status) != PKIStatus.GRANTED:
        why = said("; ".join(str(one) for one in found.status_string)) or "it does not say why"
        raise TimestampError(f"the authority refused ({PKIStatus(found.status).name.lower()}: {why})")
    info = found.tst_info
    if info.nonce != request.nonce or info.message_imprint.message != request.message_imprint.message:
        raise TimestampError("the authority's answer is to another request")


def is_of(data: bytes, token: bytes) -> bool:
    """Whether a token is one of ``make_request`` for the data, whoever gave it."""
    try:
        return bytes(_decoded(token).tst_info.message_imprint.message) == hashlib.sha512(data).digest()
    except TimestampError:
        return False


def check_token(data: bytes, token: bytes, certificates: list[x509.Certificate]) -> datetime:
    """When the data was there, as a token says that the holder of one of the certificates has issued, or one below it.

    Raises TimestampError.
    """
    found, builder = _decoded(token), VerifierBuilder()
    for certificate in dict.fromkeys(certificates):
        builder = builder.add_root_certificate(certificate)
    try:
        builder.build().verify_message(found, data)
        gen_time: datetime = found.tst_info.gen_time
        return gen_time.astimezone(UTC)
    except (VerificationError, ValueError) as error:
        raise TimestampError(f"the timestamp does not hold: {said(str(error))}") from None


def _decoded(token: bytes) -> Any:
    if len(token) > MOST_TOKEN_BYTES:
        raise TimestampError(f"a timestamp has at most {MOST_TOKEN_BYTES:,} bytes; this has {len(token):,}")
    try:
        return decode_timestamp_response(token)
    except ValueError:
        raise TimestampError("this is no answer of a timestamp authority") from None
