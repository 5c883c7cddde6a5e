// What a newcomer finds in the editor: each tab runs as it stands, once somebody is signed in.
"use strict";

window.FIRST_QUERIES = [
  {
    query: `# Welcome. Sign in above, then press the pink button (or Ctrl-Enter).
#
# Everything that was heard of: devices, their sensors with the newest reading,
# and what their actuators do. Ctrl-Space completes names; the book on the left explains them.

query Greenhouse {
  devices(first: 20) {
    totalCount
    edges {
      node {
        espId
        name
        status
        lastSeen
        sensors {
          name
          sensorType
          gpio
          latest { value unit quality timestamp }
        }
        actuators {
          name
          actuatorType
          gpio
          state { value isActive reportedAt }
        }
      }
    }
  }
}
`,
  },
  {
    query: `# Readings as they are stored, live. Press the button again to stop.
#
# throttle: at most one event per sensor in this time.
# since: the cursor of an event, or an instant; first replays what was stored after it.
# filter: for example { sensorTypes: ["ds18b20"] } or { espIds: ["ESP_12AB34"] }

subscription LiveReadings {
  readings(throttle: "PT1S") {
    cursor
    reading {
      timestamp
      value
      unit
      quality
      sensor { name device { espId } }
    }
  }
}
`,
  },
  {
    query: `# Switch something on for ten seconds, and see what its device answered.
#
# Put a device and a pin of yours into the variables below; the first tab lists them.
# A new device has to be let in first:
#   mutation { approveDevice(espId: "ESP_12AB34", name: "Bench 1") { status } }

mutation SwitchOn($order: SendCommandInput!) {
  sendCommand(input: $order) {
    status
    reason
    value
    sentAt
    completedAt
    actuator { name state { value isActive } }
  }
}
`,
    variables: `{
  "order": {
    "espId": "ESP_12AB34",
    "gpio": 5,
    "action": "ON",
    "duration": "PT10S"
  }
}
`,
  },
];
