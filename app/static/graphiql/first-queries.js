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
  {
    query: `# Calibrates a sensor, step by step. The button
# asks which step; docs/CALIBRATION.md tells more.
#
# Begin, and copy the id into the variables. Then
# for each thing known: put the probe into it and
# take the point; the server waits until the value
# stands still. In the demo take the soil as it is
# for 0 %, run the pump (the tab before) for a
# minute or two, and take it for 100 %.

mutation Begin(
  $sensor: SensorRefInput!
  $method: String!
) {
  startCalibration(
    sensor: $sensor
    method: $method
  ) {
    id
    nextStep
  }
}

mutation TakePoint($id: ID!, $reference: Float!) {
  addCalibrationPoint(
    id: $id
    reference: $reference
    wait: "PT2M"
  ) {
    points { reference raw }
    nextStep
    preview { parameters slopePercent zeroError }
  }
}

mutation Finish($id: ID!) {
  finishCalibration(id: $id) {
    parameters
    fit {
      slopePercent
      residuals
      findings { message }
    }
  }
}

mutation Cancel($id: ID!) {
  cancelCalibration(id: $id) { state }
}
`,
    variables: `{
  "sensor": {
    "espId": "ESP_70A705",
    "gpio": 34,
    "sensorType": "moisture"
  },
  "method": "dry_wet",
  "id": "",
  "reference": 0
}
`,
  },
];
