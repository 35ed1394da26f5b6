"""Why a try to deliver failed."""

from __future__ import annotations


class DeliveryError(RuntimeError):
    """
    A message was not taken; the text holds no secret and nothing that the other side wrote.

    Attributes
    ----------
    is_final
        Another try could not go better.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final
