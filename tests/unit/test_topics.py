"""Topic names: every topic reads back as it was written, and nothing else is one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt_bridge.topics import Connection, Direction, Kind, Topic, filters, parse

free_names = st.text(
    st.characters(exclude_characters="/+#", exclude_categories=("Cc", "Cs")),
    min_size=1,
    max_size=63,
)
esp_ids = st.from_regex(r"[A-Z][A-Z0-9_]{2,31}", fullmatch=True)


levels: dict[str, st.SearchStrategy[Any]] = {
    "kaiser_id": st.just("") | st.just("god") | free_names,
    "esp_id": esp_ids,
    "gpio": st.integers(0, 255),
    "zone_id": free_names,
    "subzone_id": free_names,
}


@st.composite
def topics(draw: st.DrawFn) -> Topic:
    kind = draw(st.sampled_from(Kind))
    return Topic(kind, **{level: draw(levels[level]) for level in kind.levels})


def hears(subscription: str, name: str) -> bool:
    wanted, levels = subscription.split("/"), name.split("/")
    return len(wanted) == len(levels) and all(
        want in {"+", level} for want, level in zip(wanted, levels, strict=True)
    )


@given(topics())
def test_every_topic_reads_back_as_it_was_written(topic: Topic) -> None:
    assert parse(str(topic)) == topic


@given(st.text() | st.from_regex(r"kaiser/[^/]*/esp/[^/]+/(sensor|actuator)/[^/]*/(data|status)"))
def test_whatever_is_read_as_a_topic_has_one_spelling_only(name: str) -> None:
    topic = parse(name)
    assert topic is None or str(topic) == name


@given(topics())
def test_every_topic_for_the_server_is_heard_on_its_own_connection_only_and_once(
    topic: Topic,
) -> None:
    for connection in Connection:
        heard = [qos for name, qos in filters(connection) if hears(name, str(topic))]
        route = topic.kind.route
        if route.direction is Direction.TO_SERVER and route.connection is connection:
            assert heard == [route.qos]
        else:
            assert heard == []


@given(topics())
def test_a_device_hears_what_is_meant_for_it(topic: Topic) -> None:
    own = topic.kind.filter(kaiser_id=topic.kaiser_id, esp_id=topic.esp_id)
    others = topic.kind.filter(kaiser_id=topic.kaiser_id, esp_id="OTHER_BOARD")
    assert hears(own, str(topic))
    assert hears(others, str(topic)) == ("esp_id" not in topic.kind.levels)


def test_readings_alone_travel_on_the_telemetry_connection() -> None:
    assert filters(Connection.TELEMETRY) == (
        ("kaiser/+/esp/+/sensor/+/data", 1),
        ("kaiser/+/esp/+/sensor/batch", 1),
        ("kaiser/god/zone/+/esp/+/subzone/+/sensor/+/data", 1),
    )


def test_commands_go_out_exactly_once_and_are_never_kept_by_the_broker() -> None:
    assert Kind.ACTUATOR_COMMAND.route.qos == 2
    assert not Kind.ACTUATOR_COMMAND.route.retain


def test_a_device_that_was_never_provisioned_has_an_empty_kaiser_level() -> None:
    name = "kaiser//esp/ESP_EA5484/system/heartbeat"
    assert parse(name) == Topic(Kind.HEARTBEAT, "", "ESP_EA5484")
    assert str(Topic(Kind.HEARTBEAT, "", "ESP_EA5484")) == name


def test_a_zone_masters_topic_means_the_same_sensor_data() -> None:
    topic = parse("kaiser/god/zone/north/esp/ESP_12AB34CD/subzone/bench_1/sensor/4/data")
    assert topic == Topic(Kind.ZONE_SENSOR_DATA, "god", "ESP_12AB34CD", 4, "north", "bench_1")


def test_a_topic_that_was_read_before_is_the_same_object() -> None:
    name = "kaiser/god/esp/ESP_EA5484/sensor/4/data"
    assert parse(name) is parse("".join(name))
    assert len({parse(name), Topic(Kind.SENSOR_DATA, "god", "ESP_EA5484", 4)}) == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        "other/god/esp/ESP_12AB34CD/sensor/4/data",
        "kaiser/god/esp/esp_12ab34cd/sensor/4/data",
        "kaiser/god/esp/ESP-12AB/sensor/4/data",
        "kaiser/god/esp/ES/sensor/4/data",
        "kaiser/god/esp/ESP_12AB34CD/sensor/256/data",
        "kaiser/god/esp/ESP_12AB34CD/sensor/04/data",
        "kaiser/god/esp/ESP_12AB34CD/sensor/-1/data",
        "kaiser/god/esp/ESP_12AB34CD/sensor/٤/data",
        "kaiser/god/esp/ESP_12AB34CD/sensor/4/data/",
        "kaiser/god/esp/ESP_12AB34CD/sensor/4/data\n",
        "kaiser/god/esp/ESP_12AB34CD/sensor//data",
        "kaiser/god/esp/ESP_12AB34CD/system/unheard_of",
        "kaiser/a/b/esp/ESP_12AB34CD/sensor/4/data",
        "kaiser/\x00/esp/ESP_12AB34CD/sensor/4/data",
        "/kaiser/god/esp/ESP_12AB34CD/sensor/4/data",
    ],
)
def test_what_is_not_of_the_protocol_is_no_topic(name: str) -> None:
    assert parse(name) is None


@pytest.mark.parametrize(
    ("kind", "kaiser_id", "esp_id", "gpio"),
    [
        (Kind.SENSOR_DATA, "god", "ESP_12AB34CD", None),
        (Kind.SENSOR_DATA, "god", "ESP_12AB34CD", 256),
        (Kind.SENSOR_DATA, "god", "ESP_12AB34CD", True),
        (Kind.HEARTBEAT, "god", "ESP_12AB34CD", 4),
        (Kind.HEARTBEAT, "god", "+", None),
        (Kind.HEARTBEAT, "god", "ESP_12AB34CD/x", None),
        (Kind.HEARTBEAT, "#", "ESP_12AB34CD", None),
        (Kind.ZONE_SENSOR_DATA, "god", "ESP_12AB34CD", 4),
    ],
)
def test_a_topic_that_could_not_be_read_back_cannot_be_made(
    kind: Kind, kaiser_id: str, esp_id: str, gpio: int | None
) -> None:
    with pytest.raises(ValueError, match="not a topic of the protocol"):
        Topic(kind, kaiser_id, esp_id, gpio)
