# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys of an epoch: signing heads and requests, checking both (RFC 8032).

Keys live beside the anchor, never beside the store. This module holds no files.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.entry import Head, Place, head_message
from sync.errors import SignatureError


class Signer:
    """Signs with one private key; `public` is its public half as 64 hex digits."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is the 32-byte seed of the key."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw().hex()

    def head(self, place: Place) -> Head:
        """The signed head of `place`."""
        return Head(place.epoch, place.seq, place.hash, self.sign(head_message(place)))

    def sign(self, message: bytes) -> str:
        """Signature of a message as 128 hex digits."""
        return self._key.sign(message).hex()


def check(public: str, message: bytes, signature: str) -> None:
    """Raise SignatureError unless `signature` (hex) over `message` was made with `public` (hex)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"the signature does not hold for key {public[:16]}") from error


def check_head(public: str, head: Head) -> None:
    """Raise SignatureError unless `head` was signed with `public`."""
    check(public, head_message(head.place), head.signature)
