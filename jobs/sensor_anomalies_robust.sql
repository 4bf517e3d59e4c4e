-- sensor_anomalies_robust: as sensor_anomalies.sql, with median and MAD in place of mean and deviation.
--
-- Input   topic iot_sensor_data, as there.
-- Output  topic sensor_anomalies_robust, keyed by device_id: the reading, the median of the device's last
--         61 readings, that one included, their MAD, and how many times 1.4826 MAD (which for normal
--         data is one deviation) the reading is from the median.
--
-- MAD is the median of the readings' distances, each from the median as it was at that reading. A
-- reading is an anomaly if it is more than 6 times as far away, once its device has given 20 others.

CREATE TABLE iot_sensor_data (
  device_id STRING,
  `timestamp` STRING,
  temperature DOUBLE,
  humidity DOUBLE,
  status STRING,
  ts AS TO_TIMESTAMP(`timestamp`, 'yyyy-MM-dd HH:mm:ss.SSS'),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'iot_sensor_data',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'source.partitioned-by' = 'device_id'  -- the producer's key
);

CREATE TABLE sensor_anomalies_robust (
  device_id STRING,
  ts TIMESTAMP(3),
  temperature DOUBLE,
  median DOUBLE,
  mad DOUBLE,
  score DOUBLE
) WITH (
  'connector' = 'kafka',
  'topic' = 'sensor_anomalies_robust',
  'key.format' = 'json',
  'key.fields' = 'device_id',
  'value.format' = 'json'
);

CREATE VIEW distances AS
SELECT device_id, ts, temperature, median, ABS(temperature - median) AS distance
FROM (
  SELECT
    device_id,
    ts,
    temperature,
    PERCENTILE(temperature, 0.5) OVER (
      PARTITION BY device_id
      ORDER BY ts
      ROWS BETWEEN 60 PRECEDING AND CURRENT ROW
    ) AS median
  FROM iot_sensor_data
  WHERE temperature IS NOT NULL
);

CREATE VIEW readings AS
SELECT
  device_id,
  ts,
  temperature,
  median,
  distance,
  PERCENTILE(distance, 0.5) OVER recent AS mad,
  COUNT(*) OVER recent AS readings
FROM distances
WINDOW recent AS (
  PARTITION BY device_id
  ORDER BY ts
  ROWS BETWEEN 60 PRECEDING AND CURRENT ROW
);

INSERT INTO sensor_anomalies_robust
SELECT device_id, ts, temperature, median, mad, distance / (1.4826E0 * mad)
FROM readings
WHERE readings > 20 AND distance > 6 * 1.4826E0 * mad;
