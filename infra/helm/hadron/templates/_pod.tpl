{{/* Labels and annotations of a pod: root, component. */}}
{{- define "hadron.podMetadata" -}}
labels:
  {{- include "hadron.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := dict }}
{{- if and .root.Values.prometheusAnnotations .serves }}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/path" "/metrics" "prometheus.io/port" (toString .root.Values.httpPort) }}
{{- end }}
{{- with merge $annotations .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What all pods share besides their container: root, and signs (it has the key and the anchors). */}}
{{- define "hadron.podBasics" -}}
{{- with .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
terminationGracePeriodSeconds: {{ .Values.terminationGraceSeconds }}
{{- if .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range .Values.imagePullSecrets }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: {{ .Values.tmpSizeLimit }}}
  {{- with .Values.kafkaCaExistingSecret }}
  - name: kafka-ca
    secret:
      secretName: {{ . | quote }}
      items: [{key: ca.crt, path: ca.crt}]
  {{- end }}
{{- end }}
  {{- if and .signs .root.Values.anchorVolumeClaim }}
  - name: anchors
    persistentVolumeClaim: {claimName: {{ .root.Values.anchorVolumeClaim | quote }}}
  {{- end }}
{{- end -}}

{{/* A container without ports and probes: root, name, args, environment, resources, signs. */}}
{{- define "hadron.container" -}}
name: {{ .name }}
image: {{ include "hadron.image" .root | quote }}
imagePullPolicy: {{ .root.Values.imagePullPolicy }}
args: {{ toJson .args }}
env:
  {{- include "hadron.environment" .root | nindent 2 }}
  {{- with trim .environment }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- if .signs }}
  {{- include "hadron.signing" .root | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- toYaml .root.Values.containerSecurityContext | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if .root.Values.kafkaCaExistingSecret }}
  - {name: kafka-ca, mountPath: /etc/hadron/kafka, readOnly: true}
  {{- end }}
  {{- if and .signs .root.Values.anchorVolumeClaim }}
  - {name: anchors, mountPath: /var/lib/hadron}
  {{- end }}
{{- end -}}

{{- define "hadron.probes" -}}
startupProbe:
  httpGet: {path: /health, port: http}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: {{ max 1 (div .Values.startupSeconds 5) }}
livenessProbe:
  httpGet: {path: /health, port: http}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /ready, port: http}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
{{- end -}}
