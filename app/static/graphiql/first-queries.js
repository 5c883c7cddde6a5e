// What a newcomer finds in the editor: each tab runs as it stands, once somebody is signed in.
"use strict";

window.FIRST_QUERIES = [
  {
    query: `# Welcome! Sign in above, then press the pink
# button (or Ctrl-Enter). Ctrl-Space completes
# names, the book on the left explains them.
#
# Every device with the newest reading of its
# sensors and what its actuators do:

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
    query: `# Readings of approved devices, live.
# Press the button again to stop.
#
# throttle: at most one event per sensor
#           in this time
# since:    a cursor or an instant; replays
#           what was stored after it first
# filter:   { sensorTypes: ["ds18b20"] }

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
    query: `# Switches an actuator on for ten seconds, and
# tells what its device answered. The variables
# below name the irrigation pump of the demo;
# the first tab lists what there is.
#
# A new device must be let in first:
# mutation {
#   approveDevice(espId: "ESP_70A705") { status }
# }

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
    "espId": "ESP_70A705",
    "gpio": 27,
    "action": "ON",
    "duration": "PT10S"
  }
}
`,
  },
];
