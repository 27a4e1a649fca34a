"""Settings, read once where a process starts and handed on as an argument. Environment: `OPSLOOM_…`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Role = Literal["planning", "execution", "aggregation", "sink"]
ROLES: tuple[Role, ...] = ("planning", "execution", "aggregation", "sink")


class Settings(BaseSettings):
    """Everything a worker or a command needs to know about its surroundings."""

    model_config = SettingsConfigDict(env_prefix="OPSLOOM_", frozen=True, extra="forbid")

    broker: str = "127.0.0.1:9092"
    """Kafka bootstrap addresses, comma-separated HOST:PORT."""
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    """Put before every topic and group name, so that several installations share a cluster."""
    partitions: int = Field(default=4, ge=1, le=1024)
    """Of every topic joined by trace id; may not change while traces are open."""
    replication_factor: int = Field(default=1, ge=1)
    codec: Literal["json", "avro"] = "json"
    """What is written; both are read, told apart message by message."""
    schema_registry_url: str | None = None
    """A Confluent-compatible registry; without one the built-in file of ids is used."""
    clickhouse_url: str | None = None
    """`http://HOST:PORT`; None: nothing is sunk."""
    clickhouse_database: str = Field(default="opsloom", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    clickhouse_user: str = "default"
    clickhouse_password: str = ""
    """A reference `env:NAME` or `file:PATH`, or empty."""
    data_dir: Path = Path.home() / ".local" / "share" / "opsloom"
    """Where the embedded stores, the packs' stores and Faust's own files live."""
    packs: Annotated[tuple[str, ...], NoDecode] = ("host",)
    """Names of packs that ship with opsloom, or paths of pack folders; comma-separated in the environment."""
    roles: Annotated[tuple[Role, ...], NoDecode] = ROLES
    worker_id: str = Field(default="w0", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Static membership: a worker that comes back under the same id gets its partitions back at once."""
    processes: int = Field(default=1, ge=1, le=256)
    """Of one `opsloom worker`; the roles are dealt over them."""
    commit_interval_s: float = Field(default=0.5, gt=0)
    session_timeout_s: float = Field(default=6.0, ge=1)
    heartbeat_s: float = Field(default=2.0, gt=0)
    answered_kept_s: float = Field(default=86_400.0, gt=0)
    """How long an answered trace stays marked, so that it is not answered twice."""
    metrics_every_s: float = Field(default=10.0, gt=0)
    """How often a worker publishes its own metric points."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    environment: Literal["production", "development"] = "production"
    """In development some things are only warned about that production refuses, such as a development token."""
    claims: str = Field(default="", pattern=r"^(file:.+)?$")
    """`file:FOLDER`: where results that are too large for an event are kept, by default `claims` in the data folder.
    All workers and readers must share it."""
    claim_over_kb: int = Field(default=256, ge=16, le=900)
    claims_kept_s: float = Field(default=86_400.0, gt=0)
    web_jwt_secret: str = ""
    """A reference to the secret of HS256 tokens; or empty. Not beside `web_jwks_url`."""
    web_jwks_url: str | None = None
    """Where the public keys of RS256 and ES256 tokens are."""
    web_jwt_audience: str | None = None
    """`aud` that a token must have."""
    web_jwt_issuer: str | None = None
    """`iss` that a token must have."""
    web_dev_token: str = ""
    """A reference to a token that may speak for any tenant; taken in development only."""
    web_cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may call the HTTP interface; none by default."""
    web_max_asks: int = Field(default=2_000, ge=1)
    """Questions that one web process waits for at once; more are told to come back."""
    llm_url: str | None = None
    """An OpenAI-compatible endpoint, such as `https://api.openai.com/v1`; None: no language model takes part."""
    llm_model: str = Field(default="", validate_default=True)
    llm_key: str = ""
    """A reference `env:NAME` or `file:PATH` to the endpoint's key; empty for one without."""
    llm_timeout_s: float = Field(default=20.0, gt=0, le=120)
    """What one question to the model may take while planning, retries included."""
    llm_retries: int = Field(default=2, ge=0, le=5)
    llm_concurrency: int = Field(default=16, ge=1)
    """Calls of one process that are under way at once."""
    llm_breaker_failures: int = Field(default=5, ge=1)
    """Outages in a row after which the model is left alone for `llm_breaker_reset_s`."""
    llm_breaker_reset_s: float = Field(default=60.0, gt=0)
    llm_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    """How structured replies are asked for: what the endpoint understands."""
    planner: Literal["rules", "llm", "rules-then-llm"] = "rules"
    composer: Literal["templates", "llm"] = "templates"
    plan_cache: bool = True
    """Remember the plans of identical questions."""

    @field_validator("llm_model")
    @classmethod
    def _model_is_named(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("llm_url") and not value:
            raise ValueError("the endpoint of llm_url wants a model's name")
        return value

    @field_validator("planner", "composer")
    @classmethod
    def _model_is_there(cls, value: str, info: ValidationInfo) -> str:
        if value not in ("rules", "templates") and not info.data.get("llm_url"):
            raise ValueError("a language model is asked for, and llm_url names none")
        return value

    @field_validator("roles", "packs", "web_cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
