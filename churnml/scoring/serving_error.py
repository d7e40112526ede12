"""The error of a served model for an input that it cannot score."""

from __future__ import annotations

from mlflow.exceptions import BAD_REQUEST, MlflowException


class Refused(MlflowException):
    """Status 400 with a message that names the column and never quotes a row.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> refused = Refused("1 column is missing: 'tenure'.")
    >>> refused.message = "Failed to predict data 'a customer's row'."
    >>> refused.message, refused.get_http_status_code()
    ("1 column is missing: 'tenure'.", 400)
    """

    def __init__(self, text: str) -> None:
        self._text = text
        super().__init__(text, error_code=BAD_REQUEST)

    @property
    def message(self) -> str:
        """What was refused, and why."""
        return self._text

    @message.setter
    def message(self, longer: str) -> None:
        # MLflow's scoring server puts the whole frame in front of the message, which then
        # stands in the answer and in the logs of whoever asked.
        pass
