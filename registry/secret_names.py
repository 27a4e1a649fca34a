"""Names under which credentials stand in configurations, and names under which they do not."""

import re
import unicodedata

_SECRET_WORDS = frozenset({
    "password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token",
    "apikey", "apikeys", "authorization", "credential", "credentials", "cookie", "bearer", "jwt", "dsn",
    "pat", "pass", "pin", "psk", "otp", "privatekey", "secretkey", "accesskey", "authtoken",
    "accesstoken", "refreshtoken", "clientsecret", "webhook", "비밀번호", "암호",
    "passwort", "kennwort", "contraseña", "motdepasse", "senha",
})  # fmt: skip
_SECRET_PAIRS = frozenset({
    ("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("signing", "key"),
    ("encryption", "key"), ("account", "key"), ("shared", "key"), ("master", "key"), ("auth", "key"),
    ("service", "key"), ("license", "key"), ("ssh", "key"), ("hmac", "key"), ("connection", "string"),
    ("session", "id"), ("api", "keys"), ("host", "key"), ("subscription", "key"), ("app", "key"),
    ("application", "key"), ("access", "tokens"), ("api", "tokens"),
    ("session", "key"), ("id", "rsa"), ("id", "ed25519"),
})  # fmt: skip
_ENDINGS = (
    "password", "passwd", "passphrase", "apikey", "secretkey", "accesskey", "privatekey", "authtoken",
    "accesstoken", "refreshtoken", "clientsecret", "apitoken", "apisecret", "dbpass", "userpass",
    "sessiontoken",
)  # fmt: skip
_SUFFIXES = frozenset({
    "value", "text", "plain", "plaintext", "raw", "prod", "production", "dev", "staging", "test",
    "string", "new", "old", "current", "default", "primary", "secondary", "base", "b64", "base64",
    "encoded", "literal", "hash", "header", "file",
})  # fmt: skip
_NO_SECRET_AFTER = frozenset({"file", "header"})
"""`password_file` names a file, `token_header` a header: no secrets."""
INHERITING = frozenset({
    "value", "values", "plain", "plaintext", "literal", "text", "data", "default", "const", "raw",
    "key", "example", "current", "previous", "prod", "dev", "staging", "production", "content",
    "examples",
})  # fmt: skip
"""Names below a secret name that hold the secret itself."""
NAMING = ("name", "key", "header", "field", "variable", "env", "id")
"""What names the `value` beside it."""
PROSE = frozenset({
    "description", "title", "name", "examples", "example", "keywords", "text", "summary", "comment",
    "hint", "doc", "docs", "help", "note", "notes", "statement", "sql", "cypher", "question",
})  # fmt: skip
"""Names of texts for people, in which words about passwords are no passwords."""
DIGESTS = frozenset({
    "hash", "digest", "sha", "sha1", "sha256", "sha512", "md5", "checksum", "fingerprint", "etag",
    "commit", "revision", "id", "uuid", "guid", "version", "trace", "span", "color", "colour",
    "thumbprint", "integrity", "schema", "image",
})  # fmt: skip
"""Names of what looks random and is no secret."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")


def is_secret_name(name: str) -> bool:
    """Does a value under this name have to be a reference?"""
    words = words_of(name)
    while words:
        if _names_a_secret(words):
            return True
        if len(words) == 1 or words[-1] in _NO_SECRET_AFTER:
            return False
        if words[-1] not in _SUFFIXES and not words[-1].isdigit():
            return False
        words.pop()
    return False


def _names_a_secret(words: list[str]) -> bool:
    last = words[-1].rstrip("0123456789") or words[-1]
    if last in _SECRET_WORDS or tuple(words[-2:]) in _SECRET_PAIRS:
        return True
    return "".join(words).rstrip("0123456789").endswith(_ENDINGS)


def words_of(name: str) -> list[str]:
    plain = "".join(
        char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf"
    )
    return [word.lower() for part in _CAMEL.split(plain) for word in _WORD.findall(part)]


_NAMES_OF_ROWS = frozenset({"tables", "columns", "facts", "units"})
_PATH = re.compile(r"[A-Za-z_][A-Za-z_.\[\]@*]*")


def names_a_column(parent: str, value: object) -> bool:
    """Below `tables`, `columns`, `facts` and `units` the names are those of a store, and the values say where."""
    if parent not in _NAMES_OF_ROWS:
        return False
    values = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(each, str) and _PATH.fullmatch(each) for each in values)
