-- A quickly made operator: every draw is a hash, so that it is the same each time.
CREATE TABLE people AS
SELECT i, 'C' || lpad(i::VARCHAR, 9, '0') AS customer_id,
       DATE '2019-01-01' + (hash(i, 1) % 2600)::INT AS activated_on,
       CASE WHEN hash(i, 2) % 4 = 0 THEN DATE '2024-06-01' + (hash(i, 3) % 730)::INT END AS ends_on,
       ['prepaid', 'postpaid'][1 + (hash(i, 4) % 2)::INT] AS payment,
       ['gotone', 'easyown', 'mzone', 'senior', 'other'][1 + (hash(i, 5) % 5)::INT] AS brand,
       CASE WHEN hash(i, 6) % 7 = 0 THEN 'G' || (hash(i, 7) % ({customers} // 100)) END AS group_id,
       1940 + (hash(i, 8) % 65)::INT AS birth_year,
       'R' || (hash(i, 9) % 12) AS region,
       'H' || (hash(i, 10) % ({customers} // 2000)) AS hall_id,
       CASE WHEN hash(i, 11) % 5 < 3 THEN DATE '2025-01-01' + (hash(i, 12) % 900)::INT END
           AS contract_ends_on
FROM range({customers}) t(i);
CREATE TABLE ended AS
SELECT *, CASE WHEN ends_on > activated_on THEN ends_on END AS terminated_on FROM people;
CREATE TABLE months AS SELECT m::DATE AS m
FROM range(DATE '2024-06-01', DATE '2026-06-01', INTERVAL 1 MONTH) t(m);
CREATE TABLE customers AS
SELECT customer_id, activated_on, NULL::DATE AS terminated_on, payment, activated_on AS valid_from,
       brand, group_id, birth_year, region, hall_id, contract_ends_on
FROM ended
UNION ALL
SELECT customer_id, activated_on, terminated_on, payment, terminated_on, brand, group_id,
       birth_year, region, hall_id, contract_ends_on
FROM ended WHERE terminated_on IS NOT NULL
UNION ALL
SELECT customer_id, activated_on, NULL, payment, DATE '2025-03-01' + (hash(i, 20) % 500)::INT,
       'gotone', group_id, birth_year, region, hall_id, contract_ends_on + 365
FROM ended
WHERE hash(i, 21) % 10 = 0 AND activated_on < DATE '2025-03-01' AND terminated_on IS NULL;
CREATE TABLE groups AS
SELECT 'G' || i AS group_id,
       ['government', 'bank', 'retail', 'insurance', 'it', 'media'][1 + (hash(i, 30) % 6)::INT]
           AS sector,
       (hash(i, 31) % 700)::INT AS handsets, hash(i, 32) % 50 = 0 AS top_taxpayer,
       DATE '2018-01-01' AS registered_on, DATE '2018-01-01' AS valid_from
FROM range({customers} // 100) t(i);
CREATE TABLE lives AS
SELECT * FROM ended, months
WHERE m >= date_trunc('month', activated_on) AND (terminated_on IS NULL OR m <= terminated_on);
CREATE TABLE bills AS
SELECT customer_id, m AS month, amount, round(amount * 0.4, 2) AS voice,
       round(amount * 0.5, 2) AS data, round(amount * 0.05, 2) AS value_added,
       (m + INTERVAL 1 MONTH)::DATE + 2 AS issued_on,
       CASE WHEN hash(i, m, 46) % 20 > 0
           THEN (m + INTERVAL 1 MONTH)::DATE + 3 + (hash(i, m, 47) % 40)::INT END AS paid_on
FROM (SELECT *, round(exp(4.2 + 0.9 * ((hash(i, 40) % 1000003 / 1000003.0) + (hash(i, 41) % 1000003 / 1000003.0) + (hash(i, 42) % 1000003 / 1000003.0) - 1.5)) + 20 * (hash(i, m, 43) % 1000003 / 1000003.0), 2) AS amount FROM lives WHERE hash(i, m, 48) % 50 > 0);
CREATE TABLE usage AS
SELECT customer_id, m AS month,
       round(300 * (hash(i, 50) % 1000003 / 1000003.0) + 100 * (hash(i, m, 51) % 1000003 / 1000003.0), 1) AS voice_minutes,
       round(9000 * (hash(i, 52) % 1000003 / 1000003.0) * (hash(i, m, 53) % 1000003 / 1000003.0), 1) AS data_mb,
       (hash(i, m, 54) % 29)::INT AS active_days,
       round(100 * (hash(i, m, 57) % 1000003 / 1000003.0), 1) AS offnet_minutes,
       (hash(i, m, 58) % 6)::INT AS dropped_calls,
       round(50 * (hash(i, m, 59) % 1000003 / 1000003.0), 2) AS data_speed_mbps
FROM lives WHERE hash(i, m, 60) % 99 > 0;
CREATE TABLE complaints AS
SELECT 'K' || j AS complaint_id, customer_id, opened_at,
       CASE WHEN hash(j, 1) % 10 < 9 THEN opened_at + to_seconds((hash(j, 2) % 1500000)::INT) END
           AS closed_at,
       ['network', 'tariff', 'business_support', 'service_window', 'other'][1 + (hash(j, 3) % 5)::INT]
           AS category,
       1 + (hash(j, 4) % 3)::INT AS severity,
       CASE WHEN hash(j, 5) % 20 = 0 THEN opened_at + INTERVAL 20 DAY END AS reopened_at,
       'it is slow' AS text
FROM (
    SELECT j, 'C' || lpad((hash(j, 6) % {customers})::VARCHAR, 9, '0') AS customer_id,
           TIMESTAMP '2024-06-01' + to_seconds((hash(j, 7) % 63072000)::INT) AS opened_at
    FROM range({customers} * 3 // 2) t(j)
);
CREATE TABLE contacts AS
SELECT 'X' || j AS contact_id, 'C' || lpad((hash(j, 6) % {customers})::VARCHAR, 9, '0') AS customer_id,
       TIMESTAMP '2024-06-01' + to_seconds((hash(j, 7) % 63072000)::INT) AS started_at,
       ['hall', 'hotline', 'app', 'terminal'][1 + (hash(j, 3) % 4)::INT] AS channel,
       CASE WHEN hash(j, 3) % 4 < 2 THEN (hash(j, 9) % 3000) / 2.0 END AS wait_seconds,
       hash(j, 10) % 10 > 0 AS answered, hash(j, 11) % 3 = 0 AS self_service,
       hash(j, 13) % 4 > 0 AS resolved
FROM range({customers} * 5) t(j);
CREATE TABLE surveys AS
SELECT 'S' || j AS survey_id, customer_id, sent_at,
       CASE WHEN hash(j, 1) % 10 < 4 THEN sent_at + to_seconds((hash(j, 2) % 800000)::INT) END
           AS answered_at,
       CASE WHEN hash(j, 1) % 10 < 4 THEN 1 + (hash(j, 4) % 10)::DOUBLE END AS score,
       1.0 AS scale_min, 10.0 AS scale_max
FROM (
    SELECT j, 'C' || lpad((hash(j, 6) % {customers})::VARCHAR, 9, '0') AS customer_id,
           TIMESTAMP '2024-06-01' + to_seconds((hash(j, 7) % 63072000)::INT) AS sent_at
    FROM range({customers} * 4 // 5) t(j)
);
