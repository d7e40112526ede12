-- Every feature, answered a second time: plain DuckDB SQL written from the declarations'
-- meaning. Reads the contract's tables as they come, known_at in each, and a table `moments`
-- (as_of). Settings are the defaults: silver 666, gold 1500, diamond 3000, ARPU of 3 months.

WITH
versions AS (
    SELECT m.as_of, c.*,
           row_number() OVER (
               PARTITION BY c.customer_id, m.as_of ORDER BY c.valid_from DESC, c.known_at DESC
           ) AS nth
    FROM customers c, moments m
    WHERE c.valid_from < m.as_of AND c.activated_on < m.as_of
      AND coalesce(c.known_at, c.valid_from::TIMESTAMP) <= m.as_of
),
people AS (
    SELECT * EXCLUDE (nth), coalesce(terminated_on >= as_of, true) AS eligible
    FROM versions WHERE nth = 1
),
spine AS (SELECT * FROM people WHERE eligible),
sizes AS (SELECT as_of, count(*) AS size FROM spine GROUP BY as_of),

-- bills --------------------------------------------------------------------------------
seen_bills AS (
    SELECT m.as_of, b.*
    FROM bills b, moments m
    WHERE b.month + INTERVAL 1 MONTH <= m.as_of
      AND b.month >= m.as_of - INTERVAL 27 MONTH
      AND coalesce(b.known_at, b.issued_on + INTERVAL 1 DAY, b.month + INTERVAL 1 MONTH) <= m.as_of
      AND coalesce(b.issued_on < m.as_of, true)
),
bill_ends AS (
    SELECT as_of, max(month) AS latest
    FROM (
        SELECT as_of, month, count(*) AS customers
        FROM (SELECT DISTINCT as_of, customer_id, month FROM seen_bills)
        SEMI JOIN spine USING (customer_id, as_of)
        GROUP BY as_of, month
    ) JOIN sizes USING (as_of)
    WHERE 2 * customers >= size
    GROUP BY as_of
),
bill_starts AS (SELECT as_of, min(month) AS first FROM seen_bills GROUP BY as_of),
b AS (
    SELECT s.as_of, s.customer_id, date_diff('month', s.month, e.latest) AS ago,
           s.amount, s.voice, s.data, s.value_added, s.issued_on, s.month,
           CASE WHEN s.paid_on < s.as_of THEN s.paid_on END AS paid_on
    FROM seen_bills s JOIN bill_ends e USING (as_of)
    WHERE s.month <= e.latest
),
arpu AS (
    SELECT customer_id, as_of,
           max(amount) FILTER (ago = 0) AS arpu_mean_1m_yuan,
           avg(amount) FILTER (ago < 3) AS arpu_mean_3m_yuan,
           avg(amount) FILTER (ago < 6) AS arpu_mean_6m_yuan,
           avg(amount) FILTER (ago < 12) AS arpu_mean_12m_yuan,
           regr_slope(amount, -ago) FILTER (ago < 6) AS arpu_slope_6m_yuan,
           stddev_samp(amount) FILTER (ago < 6) AS deviation,
           max(amount) FILTER (ago < 12) AS arpu_peak_12m_yuan,
           sum(voice) FILTER (ago < 3)
               / nullif(sum(amount) FILTER (ago < 3 AND voice IS NOT NULL), 0)
               AS arpu_voice_3m_share,
           sum(data) FILTER (ago < 3)
               / nullif(sum(amount) FILTER (ago < 3 AND data IS NOT NULL), 0)
               AS arpu_data_3m_share,
           sum(value_added) FILTER (ago < 3)
               / nullif(sum(amount) FILTER (ago < 3 AND value_added IS NOT NULL), 0)
               AS arpu_value_added_3m_share,
           count(*) FILTER (ago < 12) AS billed,
           avg(paid_on - issued_on) FILTER (ago < 6) AS billing_delay_mean_6m_days,
           max(paid_on - issued_on) FILTER (ago < 12) AS billing_delay_max_12m_days,
           count(*) FILTER (ago < 12) AS billed_12m,
           coalesce(sum(amount) FILTER (ago < 12 AND paid_on IS NULL), 0) AS unpaid_sum,
           count(*) FILTER (ago < 12 AND paid_on IS NULL) AS unpaid_count,
           as_of - min(issued_on) FILTER (ago < 12 AND paid_on IS NULL)
               AS billing_unpaid_oldest_12m_days,
           as_of - max(paid_on) FILTER (ago < 12) AS billing_paid_last_12m_days
    FROM b GROUP BY customer_id, as_of
),
peers AS (
    SELECT customer_id, as_of,
           100 * percent_rank() OVER (
               PARTITION BY as_of, brand, region ORDER BY round(arpu_mean_3m_yuan, 6)
           ) AS arpu_percentile_3m_percent
    FROM spine JOIN arpu USING (customer_id, as_of)
    WHERE arpu_mean_3m_yuan IS NOT NULL
),

-- tiers --------------------------------------------------------------------------------
monthly_tier AS (
    SELECT s.customer_id, s.as_of, k.k,
           CASE
               WHEN round(avg(b.amount), 6) >= 3000 THEN 3
               WHEN round(avg(b.amount), 6) >= 1500 THEN 2
               WHEN round(avg(b.amount), 6) >= 666 THEN 1
               WHEN count(b.amount) > 0 THEN 0
           END AS level,
           avg(b.amount) AS arpu
    FROM spine s, range(10) k(k)
    JOIN b ON b.customer_id = s.customer_id AND b.as_of = s.as_of AND b.ago BETWEEN k.k AND k.k + 2
    GROUP BY s.customer_id, s.as_of, k.k
),
moves AS (
    SELECT t.*, e.level AS earlier
    FROM monthly_tier t
    LEFT JOIN monthly_tier e
        ON e.customer_id = t.customer_id AND e.as_of = t.as_of AND e.k = t.k + 1
),
individual AS (
    SELECT customer_id, as_of,
           max(level) FILTER (k = 0) AS level,
           max(level) FILTER (k = 3) AS tier_individual_3m_level,
           max(level) FILTER (k = 6) AS tier_individual_6m_level,
           count(*) FILTER (k < 6 AND level > earlier) AS tier_individual_up_6m_count,
           count(*) FILTER (k < 6 AND level < earlier) AS tier_individual_down_6m_count,
           max(arpu) FILTER (k = 0) AS arpu
    FROM moves GROUP BY customer_id, as_of
),
held AS (
    -- The months from now back to the first on record in which the tier was another or unknown.
    SELECT i.customer_id, i.as_of, min(r.k) AS held
    FROM individual i, range(1, 11) r(k)
    LEFT JOIN monthly_tier t
        ON t.customer_id = i.customer_id AND t.as_of = i.as_of AND t.k = r.k
    LEFT JOIN bill_starts s ON s.as_of = i.as_of
    LEFT JOIN bill_ends e ON e.as_of = i.as_of
    WHERE i.level IS NOT NULL AND (
        r.k = 10 OR (
            (t.level IS NULL OR t.level <> i.level)
            AND r.k <= date_diff('month', s.first, e.latest)
        )
    )
    GROUP BY i.customer_id, i.as_of
),
pasts AS (
    SELECT as_of AS now, a.ago, (as_of - to_months(a.ago))::DATE AS then_
    FROM moments, (VALUES (0), (3), (6)) a(ago)
),
group_versions AS (
    SELECT p.now, p.ago, g.*,
           row_number() OVER (
               PARTITION BY g.group_id, p.now, p.ago ORDER BY g.valid_from DESC, g.known_at DESC
           ) AS nth
    FROM groups g, pasts p
    WHERE g.valid_from < p.then_ AND coalesce(g.registered_on < p.then_, true)
      AND coalesce(g.known_at, g.valid_from::TIMESTAMP) <= p.then_
),
spending AS (
    SELECT s.group_id, s.as_of AS now, a.ago, sum(b.amount::DECIMAL(18, 4)) AS spent
    FROM spine s
    JOIN b USING (customer_id, as_of)
    JOIN (VALUES (0), (3), (6)) a(ago) ON b.ago BETWEEN a.ago AND a.ago + 11
    WHERE s.group_id IS NOT NULL
    GROUP BY ALL
),
ranked AS (
    SELECT g.*, coalesce(s.spent, 0) AS spent,
           row_number() OVER (
               PARTITION BY now, ago ORDER BY coalesce(s.spent, 0) DESC, g.group_id
           ) AS place,
           count(*) OVER (PARTITION BY now, ago) AS number
    FROM group_versions g LEFT JOIN spending s USING (group_id, now, ago)
    WHERE g.nth = 1
),
graded AS (
    SELECT *,
           CASE
               WHEN handsets >= 500 OR top_taxpayer OR sector IN (
                   'government', 'party', 'military', 'media', 'telecom', 'post', 'bank',
                   'power', 'water', 'gas', 'highway', 'airport', 'railway'
               ) OR (spent > 0 AND place * 100 <= number * 5) THEN 3
               WHEN handsets >= 100 OR sector IN ('securities', 'insurance')
                   OR (spent > 0 AND place * 100 <= number * 30) THEN 2
               ELSE 1
           END AS level
    FROM ranked
),
grouped AS (
    SELECT group_id, now AS as_of,
           max(level) FILTER (ago = 0) AS tier_group_now_level,
           max(level) FILTER (ago = 3) AS tier_group_3m_level,
           max(level) FILTER (ago = 6) AS tier_group_6m_level,
           max(handsets) FILTER (ago = 0) AS tier_group_size_handsets,
           max(sector) FILTER (ago = 0) AS tier_group_sector
    FROM graded GROUP BY group_id, now
),

-- usage --------------------------------------------------------------------------------
seen_usage AS (
    SELECT m.as_of, u.*
    FROM usage u, moments m
    WHERE u.month + INTERVAL 1 MONTH <= m.as_of
      AND u.month >= m.as_of - INTERVAL 27 MONTH
      AND coalesce(u.known_at, u.month + INTERVAL 1 MONTH) <= m.as_of
),
usage_ends AS (
    SELECT as_of, max(month) AS latest
    FROM (
        SELECT as_of, month, count(*) AS customers
        FROM (SELECT DISTINCT as_of, customer_id, month FROM seen_usage)
        SEMI JOIN spine USING (customer_id, as_of)
        GROUP BY as_of, month
    ) JOIN sizes USING (as_of)
    WHERE 2 * customers >= size
    GROUP BY as_of
),
usage_starts AS (SELECT as_of, min(month) AS first FROM seen_usage GROUP BY as_of),
u AS (
    SELECT s.*, date_diff('month', s.month, e.latest) AS ago
    FROM seen_usage s JOIN usage_ends e USING (as_of)
    WHERE s.month BETWEEN e.latest - INTERVAL 11 MONTH AND e.latest
),
used AS (
    SELECT customer_id, as_of,
           max(voice_minutes) FILTER (ago = 0) AS usage_voice_mean_1m_minutes,
           avg(voice_minutes) FILTER (ago < 3) AS usage_voice_mean_3m_minutes,
           max(voice_minutes) FILTER (ago = 0) / nullif(avg(voice_minutes) FILTER (ago < 6), 0)
               AS usage_voice_last_to_mean_6m_ratio,
           regr_slope(voice_minutes, -ago) FILTER (ago < 6) AS usage_voice_slope_6m_minutes,
           stddev_samp(voice_minutes) FILTER (ago < 6)
               / nullif(avg(voice_minutes) FILTER (ago < 6), 0) AS usage_voice_volatility_6m_ratio,
           max(data_mb) FILTER (ago = 0) AS usage_data_mean_1m_mb,
           avg(data_mb) FILTER (ago < 3) AS usage_data_mean_3m_mb,
           max(data_mb) FILTER (ago = 0) / nullif(avg(data_mb) FILTER (ago < 6), 0)
               AS usage_data_last_to_mean_6m_ratio,
           regr_slope(data_mb, -ago) FILTER (ago < 6) AS usage_data_slope_6m_mb,
           stddev_samp(data_mb) FILTER (ago < 6) / nullif(avg(data_mb) FILTER (ago < 6), 0)
               AS usage_data_volatility_6m_ratio,
           max(active_days) FILTER (ago = 0) AS usage_active_mean_1m_days,
           avg(active_days) FILTER (ago < 3) AS usage_active_mean_3m_days,
           max(active_days) FILTER (ago = 0) / nullif(avg(active_days) FILTER (ago < 6), 0)
               AS usage_active_last_to_mean_6m_ratio,
           regr_slope(active_days, -ago) FILTER (ago < 6) AS usage_active_slope_6m_days,
           stddev_samp(active_days) FILTER (ago < 6) / nullif(avg(active_days) FILTER (ago < 6), 0)
               AS usage_active_volatility_6m_ratio,
           sum(offnet_minutes) FILTER (ago < 3)
               / nullif(sum(voice_minutes) FILTER (ago < 3 AND offnet_minutes IS NOT NULL), 0)
               AS usage_offnet_3m_share,
           sum(offnet_minutes) FILTER (ago BETWEEN 3 AND 5)
               / nullif(
                   sum(voice_minutes) FILTER (ago BETWEEN 3 AND 5 AND offnet_minutes IS NOT NULL), 0
               ) AS offnet_before,
           sum(dropped_calls) FILTER (ago < 3) AS usage_dropped_sum_3m_calls,
           100 * sum(dropped_calls) FILTER (ago < 3)
               / nullif(sum(voice_minutes) FILTER (ago < 3 AND dropped_calls IS NOT NULL), 0)
               AS usage_dropped_rate_3m_per_100min,
           avg(data_speed_mbps) FILTER (ago < 3) AS usage_speed_mean_3m_mbps,
           avg(data_speed_mbps) FILTER (ago < 3)
               / nullif(avg(data_speed_mbps) FILTER (ago BETWEEN 3 AND 5), 0)
               AS usage_speed_change_3m_ratio,
           as_of - (max(month) FILTER (active_days > 0) + INTERVAL 1 MONTH)::DATE
               AS usage_active_last_12m_days,
           count(*) FILTER (ago < 6) AS recorded
    FROM u GROUP BY customer_id, as_of
),

-- complaints ---------------------------------------------------------------------------
k AS (
    SELECT m.as_of, c.complaint_id, c.customer_id, c.opened_at, c.category, c.severity,
           CASE WHEN c.closed_at < m.as_of THEN c.closed_at END AS closed_at,
           CASE WHEN c.reopened_at < m.as_of THEN c.reopened_at END AS reopened_at
    FROM complaints c, moments m
    WHERE c.opened_at < m.as_of AND coalesce(c.known_at, c.opened_at) <= m.as_of
),
complained AS (
    SELECT customer_id, as_of,
           as_of - max(opened_at)::DATE AS complaints_last_days,
           count(*) FILTER (closed_at IS NULL OR reopened_at >= closed_at) AS open_now,
           as_of - (min(opened_at) FILTER (closed_at IS NULL OR reopened_at >= closed_at))::DATE
               AS complaints_open_oldest_days,
           avg(date_diff('second', opened_at, closed_at)) FILTER (opened_at >= as_of - 180) / 3600
               AS complaints_close_mean_180d_hours,
           count(*) FILTER (opened_at >= as_of - 180 AND reopened_at IS NOT NULL) AS reopened,
           max(severity) FILTER (opened_at >= as_of - 180) AS complaints_severity_max_180d_level,
           avg(severity) FILTER (opened_at >= as_of - 180) AS complaints_severity_mean_180d_level,
           count(*) FILTER (opened_at >= as_of - 30) AS all_30,
           count(*) FILTER (opened_at >= as_of - 90) AS all_90,
           count(*) FILTER (opened_at >= as_of - 180) AS all_180,
           count(*) FILTER (opened_at >= as_of - 30 AND category = 'network') AS network_30,
           count(*) FILTER (opened_at >= as_of - 90 AND category = 'network') AS network_90,
           count(*) FILTER (opened_at >= as_of - 180 AND category = 'network') AS network_180,
           count(*) FILTER (opened_at >= as_of - 30 AND category = 'tariff') AS tariff_30,
           count(*) FILTER (opened_at >= as_of - 90 AND category = 'tariff') AS tariff_90,
           count(*) FILTER (opened_at >= as_of - 180 AND category = 'tariff') AS tariff_180,
           count(*) FILTER (opened_at >= as_of - 30 AND category = 'business_support') AS support_30,
           count(*) FILTER (opened_at >= as_of - 90 AND category = 'business_support') AS support_90,
           count(*) FILTER (opened_at >= as_of - 180 AND category = 'business_support')
               AS support_180,
           count(*) FILTER (opened_at >= as_of - 30 AND category = 'service_window') AS window_30,
           count(*) FILTER (opened_at >= as_of - 90 AND category = 'service_window') AS window_90,
           count(*) FILTER (opened_at >= as_of - 180 AND category = 'service_window') AS window_180,
           count(*) FILTER (opened_at >= as_of - 30 AND category = 'other') AS other_30,
           count(*) FILTER (opened_at >= as_of - 90 AND category = 'other') AS other_90,
           count(*) FILTER (opened_at >= as_of - 180 AND category = 'other') AS other_180
    FROM k GROUP BY customer_id, as_of
),
repeats AS (
    SELECT customer_id, as_of, count(*) AS repeats
    FROM (
        SELECT customer_id, as_of, opened_at,
               lag(opened_at) OVER (
                   PARTITION BY customer_id, as_of, category ORDER BY opened_at
               ) AS previous
        FROM k WHERE opened_at >= as_of - 211
    )
    WHERE opened_at >= as_of - 180 AND opened_at <= previous + INTERVAL 30 DAY
    GROUP BY customer_id, as_of
),
record AS (
    SELECT as_of, least(180, as_of - min(opened_at)::DATE - 30) AS days FROM k GROUP BY as_of
),
around AS (
    SELECT k.as_of, p.hall_id, p.region, k.category = 'network' AS network,
           k.opened_at >= k.as_of - 30 AS recent
    FROM k JOIN people p USING (customer_id, as_of)
    WHERE k.opened_at >= k.as_of - 210
),
halls AS (
    SELECT as_of, hall_id,
           count(*) FILTER (recent) AS hall_recent,
           count(*) FILTER (NOT recent) AS hall_usual,
           count(*) FILTER (recent AND network) AS hall_network_recent,
           count(*) FILTER (NOT recent AND network) AS hall_network_usual
    FROM around WHERE hall_id IS NOT NULL GROUP BY as_of, hall_id
),
regions AS (
    SELECT as_of, region,
           count(*) FILTER (recent) AS region_recent,
           count(*) FILTER (NOT recent) AS region_usual,
           count(*) FILTER (recent AND network) AS region_network_recent,
           count(*) FILTER (NOT recent AND network) AS region_network_usual
    FROM around WHERE region IS NOT NULL GROUP BY as_of, region
),

-- service ------------------------------------------------------------------------------
c AS (
    SELECT m.as_of, c.*, c.started_at >= m.as_of - 30 AS last_30
    FROM contacts c, moments m
    WHERE c.started_at < m.as_of AND c.started_at >= m.as_of - 90
      AND coalesce(c.known_at, c.started_at) <= m.as_of
),
served AS (
    SELECT customer_id, as_of,
           count(*) FILTER (last_30) AS all_30,
           count(*) FILTER (last_30 AND channel = 'hall') AS hall_30,
           count(*) FILTER (last_30 AND channel = 'hotline') AS hotline_30,
           count(*) FILTER (last_30 AND channel = 'app') AS app_30,
           count(*) FILTER (last_30 AND channel = 'terminal') AS terminal_30,
           count(*) AS all_90,
           count(*) FILTER (channel = 'hall') AS hall_90,
           count(*) FILTER (channel = 'hotline') AS hotline_90,
           count(*) FILTER (channel = 'app') AS app_90,
           count(*) FILTER (channel = 'terminal') AS terminal_90,
           avg(wait_seconds) AS service_wait_mean_90d_seconds,
           max(wait_seconds) AS service_wait_max_90d_seconds,
           avg((wait_seconds > 600)::INT) FILTER (channel = 'hall')
               AS service_hall_wait_over_10min_90d_share,
           avg((NOT answered)::INT) AS service_unanswered_90d_share,
           avg((NOT resolved)::INT) AS service_unresolved_90d_share,
           avg(self_service::INT) AS service_self_served_90d_share
    FROM c GROUP BY customer_id, as_of
),
s AS (
    SELECT m.as_of, s.*, s.answered_at < m.as_of AS answered
    FROM surveys s, moments m
    WHERE s.sent_at < m.as_of AND coalesce(s.known_at, s.sent_at) <= m.as_of
),
surveyed AS (
    SELECT customer_id, as_of,
           arg_max(
               100 * (score - scale_min) / (scale_max - scale_min),
               (answered_at, survey_id)
           ) FILTER (answered AND score IS NOT NULL AND scale_max <> scale_min)
               AS service_survey_last_score_points,
           as_of - (max(answered_at) FILTER (
               answered AND score IS NOT NULL AND scale_max <> scale_min
           ))::DATE AS service_survey_last_days,
           count(*) FILTER (sent_at >= as_of - 180 AND coalesce(NOT answered, true)) AS unanswered
    FROM s GROUP BY customer_id, as_of
),

-- ties ---------------------------------------------------------------------------------
seen_ties AS (
    SELECT m.as_of, t.*
    FROM ties t, moments m
    WHERE t.month + INTERVAL 1 MONTH <= m.as_of
      AND coalesce(t.known_at, t.month + INTERVAL 1 MONTH) <= m.as_of
),
tie_ends AS (
    SELECT as_of, max(month) AS latest
    FROM (
        SELECT as_of, month, count(DISTINCT customer_id) AS customers
        FROM seen_ties SEMI JOIN spine USING (customer_id, as_of)
        GROUP BY as_of, month
    ) JOIN sizes USING (as_of)
    WHERE 2 * customers >= size
    GROUP BY as_of
),
tie_starts AS (SELECT as_of, min(month) AS first FROM seen_ties GROUP BY as_of),
vip AS (
    SELECT customer_id, as_of FROM b WHERE ago < 3
    GROUP BY customer_id, as_of HAVING round(avg(amount), 6) >= 1500
),
t AS (
    SELECT s.as_of, s.customer_id, s.peer_id, s.calls, s.minutes, s.outgoing_share,
           date_diff('month', s.month, e.latest) AS ago,
           p.customer_id IS NULL AS offnet,
           CASE WHEN p.terminated_on < s.as_of THEN p.terminated_on END AS left_on,
           v.customer_id IS NOT NULL AS vip
    FROM seen_ties s
    JOIN tie_ends e USING (as_of)
    LEFT JOIN people p ON p.customer_id = s.peer_id AND p.as_of = s.as_of
    LEFT JOIN vip v ON v.customer_id = s.peer_id AND v.as_of = s.as_of
    WHERE s.month BETWEEN e.latest - INTERVAL 5 MONTH AND e.latest
      AND s.calls > 0 AND s.peer_id <> s.customer_id
),
tied AS (
    SELECT customer_id, as_of,
           count(DISTINCT peer_id) FILTER (ago < 3) AS peers,
           count(*) FILTER (ago < 3) AS recent,
           count(*) FILTER (ago >= 3) AS before,
           avg(minutes) FILTER (ago < 3) AS ties_minutes_mean_3m_minutes,
           avg(calls) FILTER (ago < 3) AS ties_calls_mean_3m_calls,
           sum(minutes) FILTER (ago < 3) AS minutes,
           sum(minutes * outgoing_share) FILTER (ago < 3)
               / nullif(sum(minutes) FILTER (ago < 3 AND outgoing_share IS NOT NULL), 0)
               AS ties_outgoing_3m_share,
           coalesce(sum(minutes) FILTER (ago < 3 AND offnet), 0) AS offnet_minutes,
           count(DISTINCT peer_id) FILTER (ago < 3 AND offnet) AS offnet_peers,
           count(DISTINCT peer_id) FILTER (left_on IS NOT NULL) AS gone,
           coalesce(sum(minutes) FILTER (left_on IS NOT NULL), 0) / nullif(sum(minutes), 0)
               AS ties_left_6m_share,
           as_of - max(left_on) AS ties_left_last_6m_days,
           count(DISTINCT peer_id) FILTER (ago < 3 AND vip) AS vips,
           coalesce(sum(minutes) FILTER (ago < 3 AND vip), 0) AS vip_minutes,
           count(DISTINCT peer_id) FILTER (vip AND left_on IS NOT NULL) AS vips_gone
    FROM t GROUP BY customer_id, as_of
),
strongest AS (
    SELECT customer_id, as_of, max(minutes) AS most
    FROM (
        SELECT customer_id, as_of, peer_id, sum(minutes) AS minutes
        FROM t WHERE ago < 3 GROUP BY ALL
    )
    GROUP BY ALL
),
circle AS (
    SELECT customer_id, as_of, peer_id
    FROM t WHERE ago = 0 AND NOT offnet AND left_on IS NULL
    QUALIFY row_number() OVER (
        PARTITION BY customer_id, as_of ORDER BY minutes DESC, calls DESC, peer_id
    ) <= 5
),
embedded AS (
    SELECT one.customer_id, one.as_of,
           avg(EXISTS (
               FROM circle x
               WHERE x.customer_id = one.peer_id AND x.peer_id = two.peer_id AND x.as_of = one.as_of
           )::INT) AS ties_embedded_1m_share
    FROM circle one JOIN circle two USING (customer_id, as_of)
    WHERE one.peer_id <> two.peer_id
    GROUP BY ALL
)

SELECT
    p.customer_id, p.as_of,
    p.as_of - p.activated_on AS lifecycle_tenure_days,
    p.brand AS lifecycle_brand,
    p.payment AS lifecycle_payment,
    year(p.as_of) - p.birth_year AS lifecycle_age_years,
    p.contract_ends_on - p.as_of AS lifecycle_contract_end_days,
    month(p.as_of) AS lifecycle_as_of_month,

    arpu.arpu_mean_1m_yuan, arpu.arpu_mean_3m_yuan, arpu.arpu_mean_6m_yuan,
    arpu.arpu_mean_12m_yuan,
    arpu.arpu_mean_1m_yuan / nullif(arpu.arpu_mean_3m_yuan, 0) AS arpu_last_to_mean_3m_ratio,
    arpu.arpu_mean_1m_yuan / nullif(arpu.arpu_mean_6m_yuan, 0) AS arpu_last_to_mean_6m_ratio,
    arpu.arpu_slope_6m_yuan,
    arpu.deviation / nullif(arpu.arpu_mean_6m_yuan, 0) AS arpu_volatility_6m_ratio,
    arpu.arpu_peak_12m_yuan,
    arpu.arpu_voice_3m_share, arpu.arpu_data_3m_share, arpu.arpu_value_added_3m_share,
    CASE WHEN bill_ends.latest IS NOT NULL THEN greatest(
        0,
        least(12, date_diff('month', greatest(p.activated_on, bill_starts.first), bill_ends.latest) + 1) - coalesce(arpu.billed, 0)
    ) END AS arpu_missing_12m_months,
    peers.arpu_percentile_3m_percent,

    arpu.billing_delay_mean_6m_days, arpu.billing_delay_max_12m_days,
    CASE WHEN arpu.billed_12m > 0 THEN arpu.unpaid_sum END AS billing_unpaid_sum_12m_yuan,
    CASE WHEN arpu.billed_12m > 0 THEN arpu.unpaid_count END AS billing_unpaid_count_12m_months,
    arpu.billing_unpaid_oldest_12m_days, arpu.billing_paid_last_12m_days,

    coalesce(complained.all_30, 0) AS complaints_all_count_30d,
    coalesce(complained.network_30, 0) AS complaints_network_count_30d,
    coalesce(complained.tariff_30, 0) AS complaints_tariff_count_30d,
    coalesce(complained.support_30, 0) AS complaints_business_support_count_30d,
    coalesce(complained.window_30, 0) AS complaints_service_window_count_30d,
    coalesce(complained.other_30, 0) AS complaints_other_count_30d,
    coalesce(complained.all_90, 0) AS complaints_all_count_90d,
    coalesce(complained.network_90, 0) AS complaints_network_count_90d,
    coalesce(complained.tariff_90, 0) AS complaints_tariff_count_90d,
    coalesce(complained.support_90, 0) AS complaints_business_support_count_90d,
    coalesce(complained.window_90, 0) AS complaints_service_window_count_90d,
    coalesce(complained.other_90, 0) AS complaints_other_count_90d,
    coalesce(complained.all_180, 0) AS complaints_all_count_180d,
    coalesce(complained.network_180, 0) AS complaints_network_count_180d,
    coalesce(complained.tariff_180, 0) AS complaints_tariff_count_180d,
    coalesce(complained.support_180, 0) AS complaints_business_support_count_180d,
    coalesce(complained.window_180, 0) AS complaints_service_window_count_180d,
    coalesce(complained.other_180, 0) AS complaints_other_count_180d,
    complained.complaints_last_days,
    coalesce(complained.open_now, 0) AS complaints_open_count,
    complained.complaints_open_oldest_days,
    complained.complaints_close_mean_180d_hours,
    coalesce(complained.reopened, 0) AS complaints_reopened_count_180d,
    complained.complaints_severity_max_180d_level,
    complained.complaints_severity_mean_180d_level,
    coalesce(repeats.repeats, 0) AS complaints_repeat_count_180d,
    CASE WHEN p.hall_id IS NOT NULL AND record.days >= 30 THEN
        (coalesce(halls.hall_recent, 0) + 1)
        / (coalesce(halls.hall_usual, 0) * 30 / record.days + 1)
    END AS complaints_hall_surge_30d_ratio,
    CASE WHEN p.region IS NOT NULL AND record.days >= 30 THEN
        (coalesce(regions.region_recent, 0) + 1)
        / (coalesce(regions.region_usual, 0) * 30 / record.days + 1)
    END AS complaints_region_surge_30d_ratio,
    CASE WHEN p.hall_id IS NOT NULL AND record.days >= 30 THEN
        (coalesce(halls.hall_network_recent, 0) + 1)
        / (coalesce(halls.hall_network_usual, 0) * 30 / record.days + 1)
    END AS complaints_network_hall_surge_30d_ratio,
    CASE WHEN p.region IS NOT NULL AND record.days >= 30 THEN
        (coalesce(regions.region_network_recent, 0) + 1)
        / (coalesce(regions.region_network_usual, 0) * 30 / record.days + 1)
    END AS complaints_network_region_surge_30d_ratio,

    ['standard', 'silver', 'gold', 'diamond'][coalesce(individual.level, 0) + 1]
        AS tier_individual_now,
    coalesce(individual.level, 0) AS tier_individual_now_level,
    individual.tier_individual_3m_level, individual.tier_individual_6m_level,
    coalesce(individual.tier_individual_up_6m_count, 0) AS tier_individual_up_6m_count,
    coalesce(individual.tier_individual_down_6m_count, 0) AS tier_individual_down_6m_count,
    held.held AS tier_individual_held_10m_months,
    [666, 1500, 3000][individual.level + 1] - individual.arpu AS tier_individual_next_yuan,
    individual.arpu - [0, 666, 1500, 3000][individual.level + 1] AS tier_individual_margin_yuan,
    ['C', 'B', 'A'][grouped.tier_group_now_level] AS tier_group_now,
    grouped.tier_group_now_level, grouped.tier_group_3m_level, grouped.tier_group_6m_level,
    grouped.tier_group_now_level - grouped.tier_group_6m_level AS tier_group_change_6m_levels,
    grouped.tier_group_size_handsets, grouped.tier_group_sector,

    used.* EXCLUDE (customer_id, as_of, offnet_before, recorded),
    used.usage_offnet_3m_share - used.offnet_before AS usage_offnet_change_3m_share,
    CASE WHEN usage_ends.latest IS NOT NULL THEN greatest(
        0,
        least(6, date_diff('month', greatest(p.activated_on, usage_starts.first), usage_ends.latest) + 1) - coalesce(used.recorded, 0)
    ) END AS usage_missing_6m_months,

    coalesce(served.all_30, 0) AS service_all_count_30d,
    coalesce(served.hall_30, 0) AS service_hall_count_30d,
    coalesce(served.hotline_30, 0) AS service_hotline_count_30d,
    coalesce(served.app_30, 0) AS service_app_count_30d,
    coalesce(served.terminal_30, 0) AS service_terminal_count_30d,
    coalesce(served.all_90, 0) AS service_all_count_90d,
    coalesce(served.hall_90, 0) AS service_hall_count_90d,
    coalesce(served.hotline_90, 0) AS service_hotline_count_90d,
    coalesce(served.app_90, 0) AS service_app_count_90d,
    coalesce(served.terminal_90, 0) AS service_terminal_count_90d,
    served.service_wait_mean_90d_seconds, served.service_wait_max_90d_seconds,
    served.service_hall_wait_over_10min_90d_share,
    served.service_unanswered_90d_share, served.service_unresolved_90d_share,
    served.service_self_served_90d_share,
    surveyed.service_survey_last_score_points, surveyed.service_survey_last_days,
    coalesce(surveyed.unanswered, 0) AS service_survey_unanswered_count_180d,

    CASE WHEN tie_ends.latest IS NOT NULL THEN coalesce(tied.peers, 0) END AS ties_peers_3m_count,
    coalesce(tied.recent, 0) / least(3, date_diff('month', tie_starts.first, tie_ends.latest) + 1)
        / nullif(
            tied.before / nullif(
                greatest(0, least(3, date_diff('month', tie_starts.first, tie_ends.latest) - 2)), 0
            ), 0
        ) AS ties_peers_change_3m_ratio,
    tied.ties_minutes_mean_3m_minutes, tied.ties_calls_mean_3m_calls, tied.ties_outgoing_3m_share,
    strongest.most / nullif(tied.minutes, 0) AS ties_strongest_3m_share,
    tied.offnet_minutes / nullif(tied.minutes, 0) AS ties_offnet_3m_share,
    tied.offnet_peers / nullif(tied.peers, 0) AS ties_offnet_peers_3m_share,
    CASE WHEN tie_ends.latest IS NOT NULL THEN coalesce(tied.gone, 0) END AS ties_left_6m_count,
    tied.ties_left_6m_share, tied.ties_left_last_6m_days,
    CASE WHEN tie_ends.latest IS NOT NULL THEN coalesce(tied.vips, 0) END AS ties_vip_3m_count,
    tied.vip_minutes / nullif(tied.minutes, 0) AS ties_vip_3m_share,
    CASE WHEN tie_ends.latest IS NOT NULL THEN coalesce(tied.vips_gone, 0) END
        AS ties_vip_left_6m_count,
    embedded.ties_embedded_1m_share
FROM spine p
LEFT JOIN bill_starts USING (as_of)
LEFT JOIN bill_ends USING (as_of)
LEFT JOIN usage_starts USING (as_of)
LEFT JOIN usage_ends USING (as_of)
LEFT JOIN record USING (as_of)
LEFT JOIN arpu USING (customer_id, as_of)
LEFT JOIN peers USING (customer_id, as_of)
LEFT JOIN individual USING (customer_id, as_of)
LEFT JOIN held USING (customer_id, as_of)
LEFT JOIN grouped USING (group_id, as_of)
LEFT JOIN used USING (customer_id, as_of)
LEFT JOIN complained USING (customer_id, as_of)
LEFT JOIN repeats USING (customer_id, as_of)
LEFT JOIN halls USING (hall_id, as_of)
LEFT JOIN regions USING (region, as_of)
LEFT JOIN served USING (customer_id, as_of)
LEFT JOIN surveyed USING (customer_id, as_of)
LEFT JOIN tie_starts USING (as_of)
LEFT JOIN tie_ends USING (as_of)
LEFT JOIN tied USING (customer_id, as_of)
LEFT JOIN strongest USING (customer_id, as_of)
LEFT JOIN embedded USING (customer_id, as_of)
ORDER BY p.as_of, p.customer_id
